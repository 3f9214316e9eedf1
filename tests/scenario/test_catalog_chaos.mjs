// The catalog judged as a whole: a feed that changes at random, under answers that fail at random and a connector that is
// killed. In the end the strict platform's catalog is what the feed says, product by product, with no product twice and no
// call that was not needed. CHAOS_SEED chooses another run.
import { createHash } from 'node:crypto';
import { Process, SANITIZER, end, ok, request, same, test, until } from './lib.mjs';
import { Catalog, Needless, Trouble, generator } from '../strict/chaos.mjs';
import { CAT, furnish } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const SEED = Number(process.env.CHAOS_SEED ?? 20260117);
const [H, SHOP] = ['loja-caos', '7495000000000000071'];
const PRODUCTS = 60;
const ROUNDS = SANITIZER ? 3 : 10;
const KILLS = SANITIZER ? 1 : 4;
console.log(`seed ${SEED}`);

const w = await World.start({ IN_DOUBT_SETTLE_SECONDS: '1', LEASE_SECONDS: '3', LOG_LEVEL: 'info' });
const { tiktok } = w;
furnish(tiktok);
tiktok.attributes[CAT.shirt] = tiktok.attributes[CAT.shirt].filter((a) => a.type === 'SALES_PROPERTY');
tiktok.addSeller('seller-caos', [SHOP]);
const files = new Map();
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!files.has(name)) {
    files.set(name, png(320, 320, files.size + 1));
    w.merchant.files.set(path, { type: 'image/png', body: files.get(name) });
  }
  return w.merchant.url + path;
};
const hashOf = (name) => createHash('sha256').update(files.get(name)).digest('hex');

const catalog = new Catalog(generator(SEED), PRODUCTS, img);
const luck = generator(SEED + 1); // of everything but the feed
const trouble = new Trouble(luck, 0.12);
const needless = new Needless();
const WRITES = /^(create|partial|edit|update_p|update_inv|upload|activate|deactivate)/;
const idsOf = (call) => call.json?.product_ids ?? [/\/products\/(\d+)\//.exec(call.path)?.[1]].filter(Boolean);
tiktok.chaos = (name, call) => {
  const kind = trouble.of(name);
  if (WRITES.test(name) && ['503', 'internal', 'cut'].includes(kind)) for (const id of idsOf(call)) needless.forgive(id); // it cannot know that nothing was done
  return kind;
};
// What a write finds and leaves: each product but what only a review changes.
tiktok.watch = (call) => {
  if (!WRITES.test(call.name)) return undefined;
  const state = Object.fromEntries(idsOf(call).map((id) => {
    const p = tiktok.products.get(id);
    if (p?.audit === 'FAILED') needless.forgive(id); // what is on sale sent again ends the refusal
    const { updated, audit, pending, ...rest } = p ?? {};
    return [id, JSON.stringify({ ...rest, ...pending, status: p?.status })];
  }));
  if (call.before !== undefined || call.image) queueMicrotask(() => needless.judge(call));
  return state;
};

const publish = () => w.merchant.files.set('/c.xml', { body: catalog.feed() });
const api = (method, path, body) => w.api(method, path, body).catch(() => ({ status: 0 })); // it may be dead just now
const waiting = () => w.sql("SELECT count(*) FROM jobs WHERE kind IN ('feed_read', 'product_publish', 'product_shelf', 'product_stock', 'product_audit', 'image_read') AND state <> 'parked'") !== '0';
// Back-off is not waited for; a second that TikTok asked for is.
function hurry() {
  w.sql(`UPDATE jobs SET due_at = now() WHERE state = 'ready' AND due_at > now() + interval '1.2 s' AND kind IN ('product_publish', 'product_shelf', 'product_audit', 'product_stock', 'feed_read');
    UPDATE products SET shelf_due_at = now() WHERE shelf_due_at > now() + interval '1.2 s'; UPDATE shop_schedule SET due_at = now() WHERE due_at > now()`);
}

// What was sent of the products of the first differences, for people who look for the reason.
function history(left) {
  return left.slice(0, 3).map((line) => {
    const id = /^C\d+/.exec(line)?.[0];
    const p = [...tiktok.products.values()].find((x) => x.skus.some((s) => s.seller_sku.startsWith(`${id}-`)));
    return tiktok.calls.filter((c) => p && WRITES.test(c.name) && (c.product === p.id || c.body.includes(p.id) || c.path.includes(p.id)))
      .map((c) => `${id} ${new Date(c.at).toISOString().slice(14, 23)} ${c.name} ${c.fault ?? ''} ${c.body.toString().slice(0, 400)}`).join('\n');
  }).join('\n');
}

async function start() {
  w.connector = new Process('chaos', ['serve'], w.env);
  await until('connector is ready', async () => (await request('GET', `http://127.0.0.1:${w.opsPort}/readyz`)).status === 200, 20000);
}
async function kill() {
  await w.connector.kill();
  needless.forgiveAll(tiktok);
  await start();
}

// A run of the feed as it stands, through deaths: asked again until one is taken.
async function begin() {
  const r = await until('a run is taken', async () => { const x = await api('POST', `/v1/clients/${H}/sync/products`, {}); return x.status === 202 && x.json; });
  return r.run_id;
}
async function ended(id, ms = 90000) {
  let last;
  return until(`run ${id} ends`, async () => {
    hurry();
    last = (await api('GET', `/v1/runs/${id}`)).json ?? last;
    return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(last?.status) && last;
  }, ms).catch((e) => { throw new Error(`${e.message} ${JSON.stringify(last)} ${w.sql('SELECT kind, entity, state, attempts, deaths, due_at, outcome, problem FROM jobs')}`); });
}

await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Caos', tik_tok_shop_feed_link: `${w.merchant.url}/c.xml`,
  policies: { price: { source: 'feed' }, stock: { source: 'feed' }, removed_products: { action: 'deactivate', hold_above_percent: 100, hold_above_count: 1000 } } });
await w.connect(H, 'seller-caos');

const deaths = new Set(Array.from({ length: KILLS }, (_, i) => Math.floor((i * ROUNDS) / KILLS)));
for (let round = 0; round < ROUNDS; round++) {
  await test(`round ${round}${deaths.has(round) ? ', killed on the way' : ''}`, async () => {
    if (round > 0) catalog.step();
    publish();
    trouble.on = true;
    const from = tiktok.calls.length;
    const id = await begin();
    if (deaths.has(round)) {
      const after = 1 + luck.upTo(round ? 60 : 250);
      await until(`${after} calls`, async () => { hurry(); return tiktok.calls.length - from >= after || !waiting(); }, 60000);
      await kill();
    }
    // Now and then the next feed comes while this one is still on its way.
    if (luck.chance(0.3)) await until('some calls', () => tiktok.calls.length - from >= 20 || !waiting());
    else await ended(id);
  });
}

await test('when the trouble ends, the shop is what the feed says, product by product', async () => {
  trouble.on = false;
  catalog.calm();
  publish();
  for (let k = 0; k < 2; k++) { const run = await ended(await begin()); ok(['succeeded', 'partial'].includes(run.status), JSON.stringify(run)); }
  let left = [];
  await until('the catalog is what the feed says', () => {
    hurry();
    left = catalog.differences(tiktok, SHOP, hashOf);
    return !left.length && !waiting();
  }, 60000).catch((e) => { throw new Error(`${e.message}\n${left.slice(0, 30).join('\n')}\n${history(left)}`); });
});

await test('the connector says the same of every product', async () => {
  const all = new Map((await w.products(H)).map((p) => [p.source_id, p]));
  const wrong = catalog.products.map((p) => [p, all.get(catalog.sourceId(p))]).filter(([p, x]) => p.offered ? x?.status !== 'live' || x.problems.some((y) => y.code !== 'brand_dropped') : x && x.tiktok_product_id && x.status !== 'deactivated');
  same(wrong.map(([p, x]) => [p.id, p.offered, x?.status, x?.problems]), [], 'products');
  same(w.sql("SELECT string_agg(kind || ' ' || entity || ' ' || problem::text, '; ') FROM jobs WHERE state = 'parked'"), '', 'parked jobs');
});

await test('the same feed once more writes nothing', async () => {
  const from = tiktok.calls.length;
  same((await ended(await begin())).status, 'succeeded', 'run');
  await until('nothing waits', () => !waiting());
  same(w.writes(from).map((c) => `${c.name} ${c.path} ${c.body.toString().slice(0, 200)}`), [], 'writes');
});

await test('no call was needless, none broke the contract', () => {
  console.log(`     ${tiktok.calls.length} calls, ${catalog.products.length} products, trouble ${JSON.stringify(trouble.counts)}`);
  same(needless.found.slice(0, 10), [], `needless calls (${needless.found.length})`);
  w.noViolations();
});
await test('SIGTERM ends it', () => w.connector.stop());
await end();
