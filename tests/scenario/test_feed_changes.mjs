// Comparing feeds that are given, and feeds that the clock reads: only differences travel, and an unchanged feed costs
// no platform call. Judged by the strict platforms.
import { end, ok, request, same, test, until } from './lib.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const H = 'loja-compara';
const SHOP = '7495000000000000041';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-c', [SHOP]);
let seed = 500;
const pictures = {};
const img = (name) => {
  if (!pictures[name]) { pictures[name] = true; w.merchant.files.set(`/img/${name}.png`, { type: 'image/png', body: png(320, 320, ++seed) }); }
  return `${w.merchant.url}/img/${name}.png`;
};
const base = { description: 'Boa', link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' };
const items = (changes = {}, n = 6) => Array.from({ length: n }, (_, i) => `C${i}`).filter((id) => changes[id] !== null).map((id) => ({ ...base, id, title: `Caneca ${id}`, image_link: img(id), ...changes[id] }));
const feed = (changes, n) => rss('g', items(changes, n));
let own; // the merchant's feed, with a validator
let conditional = 0;
const set = (body) => { own = { body, etag: `"${body.length}-${Math.random()}"` }; };
w.merchant.files.set('/c.xml', (req, res) => {
  if (req.headers['if-none-match']) conditional++;
  if (req.headers['if-none-match'] === own.etag) { res.writeHead(304).end(); return; }
  res.writeHead(200, { 'content-type': 'text/xml', ...(own.etag ? { etag: own.etag } : {}) }).end(own.body);
});
const find = (id) => [...tiktok.products.values()].find((p) => p.status !== 'DELETED' && p.skus.some((s) => s.seller_sku === id));
const changes = async (id) => (await w.must('GET', `/v1/runs/${id}/changes?limit=200`)).items;
const live = (id) => until(`${id} is live`, async () => (await w.must('GET', `/v1/clients/${H}/products/${id}`)).status === 'live');
const runs = async () => (await w.must('GET', `/v1/clients/${H}/runs?limit=200`)).items;
const platform = (from) => tiktok.calls.slice(from).filter((c) => !/^(get_order_list|search_)/.test(c.name)).map((c) => c.name);
const policies = { price: { source: 'feed' }, stock: { source: 'feed' }, removed_products: { action: 'deactivate', hold_above_percent: 50, hold_above_count: 3 } };

await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja C', tik_tok_shop_feed_link: `${w.merchant.url}/c.xml`, policies: { ...policies, feed: { read_every_minutes: 5 } } });
await w.connect(H, 'seller-c');
set(feed());
// The clock's work, now: the job that finds due feeds, and then what it asked for.
const tick = async () => {
  const before = Number(w.sql("SELECT count(*) FROM feed_snapshots WHERE looked_at IS NOT NULL AND looked_at > now() - interval '1 minute'"));
  w.sql("UPDATE feed_snapshots SET looked_at = now() - interval '1 hour', accepted_at = now() - interval '1 hour'; UPDATE jobs SET due_at = now() WHERE kind = 'feed_due' AND state = 'ready'; UPDATE shop_schedule SET due_at = now() WHERE shop_id = 'c:*'; SELECT pg_notify('connector_jobs', 'c:*')");
  await until('the clock asked', () => w.sql("SELECT count(*) FROM feed_snapshots WHERE looked_at > now() - interval '5 minutes'") !== '0' || before > 5);
  await until('the feed was read', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'feed_read' AND state <> 'parked'") === '0');
};

await test('connecting alone reads and publishes nothing', async () => {
  await until('the job that finds due feeds has run', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'feed_due' AND outcome = 'ok'") === '1');
  same(w.sql('SELECT count(*) FROM feed_snapshots'), '0', 'snapshots');
  same(w.writes().length, 0, 'writes');
  same(w.merchant.hits.filter((h) => h.url === '/c.xml').length, 0, 'readings');
});

await test('new_xml alone, as text: the first feed is published', async () => {
  const run = await w.run(H, 'changes', { new_xml: feed().replace('UTF-8', 'ISO-8859-1').replace('Caneca C5', 'Caneca açaí') });
  same([run.status, run.kind, run.progress.created], ['succeeded', 'changes', 6], JSON.stringify(run));
  for (let i = 0; i < 6; i++) await live(`C${i}`);
  same(find('C5').title, 'Caneca açaí', 'a text is UTF-8 whatever it declares');
});

await test('the same feed again makes no call at all', async () => {
  set(feed({ C5: { title: 'Caneca açaí' } }));
  await w.run(H, 'changes', { new_xml: `${w.merchant.url}/c.xml` });
  const from = tiktok.calls.length;
  const run = await w.run(H, 'changes', { new_xml: `${w.merchant.url}/c.xml` });
  same([run.status, run.progress.total, run.progress.unchanged], ['succeeded', 6, 6], JSON.stringify(run));
  same(platform(from), [], 'calls');
  same((await changes(run.id)).length, 0, 'changes');
});

await test('a price alone, a stock alone, a title alone: each goes by its own call', async () => {
  const from = tiktok.calls.length;
  set(feed({ C0: { price: '55,50 BRL' }, C1: { inventory: '3' }, C2: { title: 'Caneca nova' }, C5: { title: 'Caneca açaí' } }));
  const run = await w.run(H, 'changes', { new_xml: `${w.merchant.url}/c.xml` });
  same([run.status, run.progress.updated, run.progress.unchanged], ['succeeded', 3, 3], JSON.stringify(run));
  await until('all is there', () => find('C0').skus[0].price.amount === '55.50' && find('C1').skus[0].inventory[0].quantity === 3 && find('C2').title === 'Caneca nova');
  const by = (id) => w.writes(from).filter((c) => c.path.includes(find(id).id)).map((c) => c.name);
  same([by('C0'), by('C1'), by('C2')], [['update_price'], ['update_inventory'], ['partial_edit_product']], 'calls');
  same(w.writes(from).length, 3, 'writes');
  const rows = (await changes(run.id)).filter((c) => ['price', 'quantity', 'title'].includes(c.field) && c.old !== null).map((c) => [c.source_id, c.field]);
  for (const want of [['C0', 'price'], ['C1', 'quantity'], ['C2', 'title']]) ok(rows.some((x) => x[0] === want[0] && x[1] === want[1]), `${want}: ${JSON.stringify(rows)}`);
  await live('C2');
});

await test('two given feeds: only what differs between them, and the accepted feed stays', async () => {
  const accepted = w.sql('SELECT generation FROM feed_snapshots');
  const older = feed({ C3: { price: '50.00 BRL' }, C0: { price: '1.00 BRL' } });
  const newer = feed({ C3: { price: '58.00 BRL' }, C0: { price: '1.00 BRL' }, C4: null });
  let from = tiktok.calls.length;
  const dry = await w.must('POST', `/v1/clients/${H}/sync/changes?dry_run=true`, { old_xml: older, new_xml: newer });
  const planned = await until('dry run ends', async () => { const r = await w.must('GET', `/v1/runs/${dry.run_id}`); return r.status === 'succeeded' && r; });
  same([planned.progress.updated, planned.progress.removed], [1, 1], JSON.stringify(planned));
  ok((await changes(dry.run_id)).some((c) => c.source_id === 'C3' && c.field === 'price' && c.old === '50.00' && c.new === '58.00' && c.outcome === 'planned'), 'the dry run tells old and new');
  same(platform(from).filter((n) => !/^get_/.test(n)), [], 'calls of the dry run');
  from = tiktok.calls.length;
  const run = await w.run(H, 'changes', { old_xml: older, new_xml: newer });
  same(run.status, 'succeeded', JSON.stringify(run));
  await until('price', () => find('C3').skus[0].price.amount === '58.00');
  same(w.writes(from).map((c) => c.name), ['update_price'], 'writes');
  same(find('C0').skus[0].price.amount, '55.50', 'what both have alike is left alone');
  same(w.sql('SELECT generation FROM feed_snapshots'), accepted, 'accepted feeds');
  same(w.sql("SELECT in_feed, absent_feeds FROM products WHERE source_id = 'C4'"), 'f|1', 'what the newer one lacks is noted, not removed');
});

await test('the next reading by the clock compares in full and brings back what the merchant\'s own feed says', async () => {
  await tick();
  const run = await until('a run of the clock', async () => (await runs()).find((r) => r.requested_by === 'schedule' && r.status === 'succeeded'));
  same([run.kind, run.progress.total], ['products', 6], JSON.stringify(run));
  await until('price', () => find('C3').skus[0].price.amount === '50.00');
  same(w.sql("SELECT in_feed, absent_feeds FROM products WHERE source_id = 'C4'"), 't|0', 'C4 is back');
});

await test('an unchanged feed read by the clock leaves no run and makes no call: 304, or the same bytes', async () => {
  const before = (await runs()).length;
  const from = tiktok.calls.length;
  conditional = 0;
  await tick();
  same(conditional, 1, 'conditional requests');
  own.etag = '';
  await tick();
  same((await runs()).length, before, 'runs');
  same(platform(from), [], 'calls');
});

await test('a change that the clock finds is a run of the clock', async () => {
  const before = (await runs()).length;
  set(feed({ C0: { price: '59.90 BRL' }, C1: { inventory: '3' }, C2: { title: 'Caneca nova' }, C5: { title: 'Caneca açaí' } }));
  await tick();
  const run = await until('the run ends', async () => { const [r] = await runs(); return r.requested_by === 'schedule' && r.status === 'succeeded' && r; });
  same([(await runs()).length, run.progress.updated], [before + 1, 1], JSON.stringify(run));
  await until('price', () => find('C0').skus[0].price.amount === '59.90');
});

await test('a product that the clock misses twice, also in a file that did not change, goes off sale', async () => {
  const before = (await runs()).length;
  set(feed({ C0: { price: '59.90 BRL' }, C1: null, C2: { title: 'Caneca nova' }, C5: { title: 'Caneca açaí' } }));
  await tick();
  same(find('C1').status, 'ACTIVATE', 'after the first');
  await tick();
  await until('it is off sale', () => find('C1').status === 'SELLER_DEACTIVATED');
  const run = await until('the run ends', async () => { const [r] = await runs(); return r.status === 'succeeded' && r; });
  same([run.requested_by, run.progress.removed, (await runs()).length], ['schedule', 1, before + 2], JSON.stringify(run));
  const settled = (await runs()).length;
  await tick();
  same((await runs()).length, settled, 'the third leaves nothing');
});

await test('trouble that the clock meets is told once; a shrunken feed waits for approve', async () => {
  const before = (await runs()).length;
  const good = own;
  own = { body: '<!DOCTYPE rss [<!ENTITY x "y">]><rss/>', etag: '' };
  await tick();
  await tick();
  same([(await runs()).length, (await runs())[0].status, (await runs())[0].problem.code], [before + 1, 'failed', 'feed_doctype'], 'one failed run');
  set(feed({}, 2));
  await tick();
  await tick();
  const [held] = await runs();
  same([(await runs()).length, held.status, held.problem.code], [before + 2, 'held', 'feed_shrunk'], 'one held run');
  same(w.sql("SELECT count(*) FROM products WHERE in_feed"), '5', 'nothing changed');
  await w.must('POST', `/v1/runs/${held.id}/approve`);
  const run = await until('it ends', async () => { const r = await w.must('GET', `/v1/runs/${held.id}`); return !['queued', 'running'].includes(r.status) && r; });
  same([run.status, run.progress.total], ['succeeded', 2], JSON.stringify(run));
  same([w.sql("SELECT count(*) FROM products WHERE in_feed"), find('C5').status], ['2', 'ACTIVATE'], 'accepted; nothing is removed by one feed');
  own = good;
});

await test('requests that say nothing usable are refused by name', async () => {
  for (const [body, field] of [[{}, 'new_xml'], [{ new_xml: 'not a feed' }, 'new_xml'], [{ new_xml: '<rss></rss>', old_xml: 'ftp://x/y' }, 'old_xml'], [{ new_xml: '<rss></rss>', url: 'https://x.example' }, 'url']]) {
    const r = await w.api('POST', `/v1/clients/${H}/sync/changes`, body);
    same([r.status, r.json.errors?.[0].field], [400, field], JSON.stringify(body));
  }
  const run = await w.run(H, 'changes', { new_xml: '<rss version="2.0"><channel></channel></rss>' });
  same([run.status, run.problem.code], ['failed', 'feed_empty'], 'an empty text');
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
