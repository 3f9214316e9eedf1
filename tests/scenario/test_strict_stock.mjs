// test_strict_stock.mjs - prices and stock change at random for a while: notifications get lost, come twice and out of order,
// both platforms answer 429, 5xx, half or nothing, the process is killed. At the end what TikTok shows is what the rules
// make of what VTEX says, for every SKU, and one comparison is enough for what nobody was told.
import { end, ok, request, same, test, until, Process } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-sorte';
const SHOP = '7000000000000001313';
const SECRET = 'segredo-da-loja-de-sorte-00001';
const SEED = Number(process.env.STRICT_SEED ?? 20260111);
const CHANGES = Number(process.env.STRICT_CHANGES ?? 240);
const PRODUCTS = 8;
let state = SEED;
const rnd = (n) => { state = (state * 1103515245 + 12345) & 0x7fffffff; return Math.floor((state / 0x7fffffff) * n) % n; };
const chance = (percent) => rnd(100) < percent;

const w = await World.start({ LOG_LEVEL: 'info' });
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-sorte', [SHOP]);
const codes = Array.from({ length: PRODUCTS * 2 }, (_, i) => String(1000 + i));
const account = w.vtex.account('strictluck', { sc: '3', skus: Object.fromEntries(codes.map((id, i) => [id, { price: 10 + i, stock: [['1_1', 5 + i, 0], ['2_2', 3, 1]] }])),
  warehouses: [{ id: '1_1', dock: 'd1' }, { id: '2_2', dock: 'd2' }, { id: '9_9', dock: 'd9', sc: ['7'] }] });
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 9) });
const item = (id, i) => ({ id, item_group_id: `G${i >> 1}`, title: `Camiseta Sorte ${i >> 1}`, color: i % 2 ? 'Azul' : 'Verde', description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price: '50.00 BRL', product_type: 'Moda > Camisetas', brand: 'Aurora', shipping_weight: '300 g' });
w.merchant.files.set('/s.xml', { body: rss('g', codes.map(item)) });
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Sorte', tik_tok_shop_feed_link: `${w.merchant.url}/s.xml`,
  vtex: { account: 'strictluck', app_key: 'vtexappkey-strictluck-STRICT', app_token: 'token-of-strictluck', sales_channel: '3', affiliate_id: 'TTK', hook_secret: SECRET },
  policies: { price: { markup_percent: '12.5', add_amount: '0.37', round_to: '0.05', minimum: '3.00', maximum: '900.00' }, stock: { percent: 90, reserve: 1, maximum: 60, unlimited_as: 33 } } });
await w.connect(H, 'seller-sorte');

// The rules again, in whole cents and units, written from the interface description alone.
function wanted(id) {
  const s = account.skus[id];
  const units = !s || s.inactive || s.price === undefined ? 0 : (s.stock ?? []).filter(([wh]) => wh !== '9_9')
    .reduce((a, [, total, reserved, unlimited]) => a + (unlimited ? 33 : Math.max(0, total - reserved)), 0);
  const stock = Math.max(0, Math.min(60, Math.floor((units * 90) / 100) - 1));
  if (!s || s.inactive || s.price === undefined) return { stock: 0, price: null };
  const exact = BigInt(Math.round(s.price * 100)) * 1125n + 37000n; // thousandths of a cent
  let cents = Number((exact + 2500n) / 5000n) * 5;
  cents = Math.min(90000, Math.max(300, cents));
  return { stock, price: (cents / 100).toFixed(2) };
}
const skus = () => new Map([...tiktok.products.values()].flatMap((p) => p.skus).map((s) => [s.seller_sku, s]));
function differences() {
  const have = skus();
  return codes.map((id) => {
    const is = { stock: have.get(id).inventory.reduce((a, i) => a + i.quantity, 0), price: have.get(id).price.amount };
    const want = wanted(id);
    return is.stock === want.stock && (want.price === null || is.price === want.price) ? null : { id, is, want };
  }).filter(Boolean);
}

function change(id) {
  const s = account.skus[id] ?? (account.skus[id] = { price: 10, stock: [['1_1', 1, 0]] });
  const what = rnd(20);
  if (what < 9) { s.stock = [['1_1', rnd(40), rnd(10)], ['2_2', rnd(15), rnd(20)], ['9_9', 500, 0]]; return { StockModified: true }; }
  if (what < 15) { s.price = (100 + rnd(40000)) / 100; return { PriceModified: true }; }
  if (what === 15) { s.stock = [['1_1', 0, 0, true]]; return { StockModified: true }; }
  if (what === 16) { delete s.price; return { PriceModified: true }; }
  if (what === 17) { s.inactive = true; return { IsActive: false }; }
  if (what === 18) { delete s.inactive; return { HasStockKeepingUnitModified: true }; }
  s.price = 1 + rnd(300); s.stock = [['2_2', rnd(90), 0]]; delete s.inactive;
  return {};
}

const FAULTS_VTEX = [{ status: 429, headers: { 'retry-after': '1' }, raw: '' }, { status: 500, raw: '<html>erro</html>' }, { status: 503, raw: '' }, { cut: true }, { status: 200, raw: '<html>manutenção</html>' }, { status: 200, raw: '{"sellingPrice' }, { status: 200, raw: '{}' }];
function plant() {
  if (chance(60)) w.vtex.faults.push({ operation: ['getInventoryBySku', 'getComputedPrice', 'getSkuContext'][rnd(3)], left: 1, answer: FAULTS_VTEX[rnd(FAULTS_VTEX.length)] });
  else tiktok.faults.push({ operation: ['update_inventory', 'update_price'][rnd(2)], kind: ['internal', '429', '503', 'done-then-internal', 'done-then-cut'][rnd(5)], left: 1 });
}

const held = []; // notifications that come later, or never
const lost = new Set();
const notify = (id, flags) => request('POST', `${w.url}/vtex/${H}/${SECRET}/notifications`, { headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ [['IdSku', 'idSku', 'idSKU'][rnd(3)]]: chance(50) ? id : Number(id), An: 'strictluck', IdAffiliate: 'TTK', StockModified: false, PriceModified: false, ...flags }) }).catch(() => ({ status: 0 }));
async function tell(id, flags) {
  const r = await notify(id, flags);
  if (r.status !== 200) held.push([id, flags]); // VTEX sends again what was not taken
}
async function restart() {
  w.connector.child.kill('SIGKILL');
  await w.connector.exited;
  w.connector = new Process('strict', ['serve'], w.env);
  await until('it is ready again', async () => (await request('GET', `http://127.0.0.1:${w.opsPort}/readyz`).catch(() => ({}))).status === 200, 60000);
}

await test('the products stand', async () => {
  await w.run(H);
  await until('all are live', async () => { const all = await w.products(H); return all.length === PRODUCTS && all.every((p) => p.status === 'live'); }, 60000);
  await until('what the rules say', () => differences().length === 0, 60000).catch(() => same(differences(), [], 'at first'));
});

await test(`${CHANGES} changes under faults, loss, repetition, reordering and kills (seed ${SEED})`, async () => {
  for (let i = 0; i < CHANGES; i++) {
    const id = codes[rnd(codes.length)];
    const flags = change(id);
    const fate = rnd(10);
    if (fate < 2) lost.add(id);
    else if (fate < 4) held.splice(rnd(held.length + 1), 0, [id, flags]);
    else await Promise.all(Array.from({ length: fate === 9 ? 3 : 1 }, () => tell(id, flags)));
    if (chance(25) && held.length) await tell(...held.shift());
    if (chance(12)) plant();
    if (i === Math.floor(CHANGES / 3) || i === Math.floor((CHANGES * 2) / 3)) await restart(); // a third death of the same job would quarantine it
  }
  while (held.length) await tell(...held.shift());
  w.vtex.faults.length = 0;
  tiktok.faults.length = 0;
});

await test('whatever was told is right on TikTok', async () => {
  const open = () => differences().filter((d) => !lost.has(d.id));
  await until('told changes arrive', () => open().length === 0, 90000).catch(() => same(open(), [], 'told'));
});

await test('one comparison finds what was lost', async () => {
  w.sql("UPDATE jobs SET due_at = now() WHERE kind = 'product_values' AND state = 'ready'");
  const r = await w.run(H, 'reconcile', {}, 90000);
  ok(['succeeded', 'partial'].includes(r.status), JSON.stringify(r));
  await until('everything is right', () => differences().length === 0, 60000).catch(() => same(differences(), [], 'all'));
  same(w.sql("SELECT kind || ' ' || entity || ' ' || coalesce(problem::text, '') FROM jobs WHERE state = 'parked'"), '', 'parked jobs');
});

await test('nothing differs any more: another comparison sends nothing', async () => {
  const from = tiktok.calls.length;
  await w.run(H, 'reconcile', {}, 90000);
  same(w.writes(from).map((c) => c.name), [], 'writes');
});

await test('no price was ever 0, and no request broke a contract', () => {
  ok(!w.sql("SELECT string_agg(new, ' ') FROM tiktok_log_price_product").split(' ').includes('0.00'), 'no 0');
  w.noViolations();
});
await end();
