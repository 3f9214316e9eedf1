// Dry run, explanation and undo: what a run would do, what it did with its rule and request id, and how that is put
// back so that the next reading of the same feed leaves it alone. Judged by the strict platforms.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-undo';
const SHOP = '7000000000000000707';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-undo', [SHOP]);

let seed = 700;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: '<p>Boa caneca</p>', brand: 'Aurora', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas', description: 'Camiseta' };
let items = [
  { ...base, id: 'L_U1', title: 'Caneca U1', image_link: img('u1') },
  { ...base, id: 'L_U2', title: 'Caneca U2', image_link: img('u2') },
  { ...shirt, id: 'L_U3a', item_group_id: 'U3', title: 'Camisa U3', image_link: img('u3'), color: 'Azul', size: 'P' },
  { ...shirt, id: 'L_U3b', item_group_id: 'U3', title: 'Camisa U3', image_link: img('u3'), color: 'Azul', size: 'M' },
];
const publishFeed = () => { w.merchant.files.set('/u.xml', { body: rss('zz', items) }); return `${w.merchant.url}/u.xml`; };
const policies = { sku_id: { rule: 'last_part' }, price: { source: 'feed', markup_percent: '10', round_to: '0.10', minimum: '20.00', maximum: '500.00' }, stock: { source: 'feed' } };
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Undo', tik_tok_shop_feed_link: publishFeed(), policies });
await w.connect(H, 'seller-undo');

const find = (sku) => [...tiktok.products.values()].find((p) => p.status !== 'DELETED' && p.skus.some((s) => s.seller_sku === sku));
const skuOf = (sku) => find(sku)?.skus.find((s) => s.seller_sku === sku);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const changes = async (run) => (await w.must('GET', `/v1/runs/${run.id ?? run}/changes?limit=200`)).items;
const line = (list, field, sku) => list.find((c) => c.field === field && (sku === undefined || c.seller_sku === sku));
const live = (id) => until(`${id} is live`, async () => { const p = await product(id); return p.status === 'live' && p; }, 30000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
const edit = (id, fields) => { items = items.map((i) => (i.id === id ? { ...i, ...fields } : i)); publishFeed(); };
const ended = (id) => until(`run ${id} ends`, async () => { const x = await w.must('GET', `/v1/runs/${id}`); return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(x.status) && x; }, 30000);
async function dry() {
  const r = await w.must('POST', `/v1/clients/${H}/sync/products?dry_run=true`, {});
  return ended(r.run_id);
}

await test('a dry run names every product and variant that would be made, and what would be refused', async () => {
  items.push({ ...base, id: 'L_BAD', title: '!!!', image_link: img('bad') }, { ...base, id: 'L_DEAR', title: 'Caneca cara', price: '20000.00 BRL', image_link: img('dear') });
  publishFeed();
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { price: { maximum: null } } });
  const run = await dry();
  same([run.status, run.progress.created, run.progress.failed], ['partial', 3, 2], JSON.stringify(run));
  const list = await changes(run);
  same(list.filter((c) => c.action === 'create' && c.entity === 'product').map((c) => c.source_id).sort(), ['L_BAD', 'L_DEAR', 'L_U1', 'L_U2', 'U3'], 'products');
  same(list.filter((c) => c.action === 'create' && c.entity === 'sku' && c.source_id === 'U3').map((c) => c.seller_sku).sort(), ['U3a', 'U3b'], 'variants');
  const refused = list.filter((c) => c.outcome === 'would_refuse');
  ok(refused.some((c) => c.source_id === 'L_BAD' && c.new === 'missing_title' && c.reason), JSON.stringify(refused));
  ok(refused.some((c) => c.source_id === 'L_DEAR' && c.new === 'price_range'), JSON.stringify(refused));
  same(w.writes().length, 0, 'writes');
  same(tiktok.calls.filter((c) => c.name !== 'get_access_token' && /product|categor|brand/.test(c.name)), [], 'calls');
  items = items.filter((i) => !['L_BAD', 'L_DEAR'].includes(i.id));
  publishFeed();
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { price: { maximum: '500.00' } } });
});

await test('a first run says of each product that it was published, with the request id', async () => {
  const run = await w.run(H);
  for (const id of ['L_U1', 'L_U2', 'U3']) await live(id);
  const list = await changes(run);
  same(list.map((c) => [c.source_id, c.action, c.outcome]).sort(), [['L_U1', 'create', 'published'], ['L_U2', 'create', 'published'], ['U3', 'create', 'published']], JSON.stringify(list));
  ok(list.every((c) => c.request_id), JSON.stringify(list));
});

let changed;
await test('a run tells old, new, rule, request id and outcome of each field that it sent', async () => {
  edit('L_U1', { title: 'Caneca U1 nova', description: '<p>Caneca melhor</p>', price: '60.00 BRL', image_link: img('u1-new'), inventory: '7' });
  edit('L_U3b', { price: '90.00 BRL' });
  const plan = await changes(await dry());
  same(plan.map((c) => [c.source_id, c.seller_sku, c.field, c.outcome]).sort(), [['L_U1', 'U1', 'images', 'planned'], ['L_U1', 'U1', 'price', 'planned'], ['L_U1', 'U1', 'quantity', 'planned'], ['L_U1', 'U1', 'title', 'planned'],
    ['L_U1', null, 'description', 'planned'], ['L_U1', null, 'images', 'planned'], ['L_U1', null, 'title', 'planned'], ['U3', 'U3b', 'price', 'planned']].sort(), JSON.stringify(plan));
  changed = await w.run(H);
  await live('L_U1');
  const list = await changes(changed);
  const title = line(list, 'title', null);
  same([title.old, title.new, title.rule, title.outcome], ['Caneca U1', 'Caneca U1 nova', 'feed', 'published'], JSON.stringify(title));
  const price = line(list, 'price', 'U1');
  same([price.old, price.new, price.rule, price.outcome], ['55.00', '66.00', 'feed + markup_percent', 'published'], JSON.stringify(price));
  same([line(list, 'price', 'U3b').old, line(list, 'price', 'U3b').new], ['55.00', '99.00'], 'U3b');
  same([line(list, 'stock', 'U1').old, line(list, 'stock', 'U1').new], ['10', '7'], 'stock');
  ok(list.every((c) => c.outcome === 'published' && (c.request_id || c.field === 'link')), JSON.stringify(list));
  const log = (await w.must('GET', `/v1/clients/${H}/logs/product?run_id=${changed.id}`)).items.find((x) => x.outcome === 'updated');
  same(log.request_id, title.request_id, 'request ids');
  const text = log.changes.find((c) => c.field === 'description');
  same({ field: text.field, old: text.old, new: text.new, rule: text.rule }, { field: 'description', old: '<p>Boa caneca</p>', new: '<p>Caneca melhor</p>', rule: 'feed' }, JSON.stringify(log));
  same((await w.must('GET', `/v1/clients/${H}/logs/price?run_id=${changed.id}&entity=U1`)).items[0].request_id, price.request_id, 'price log');
});

await test('what TikTok refuses is told on the run too', async () => {
  const original = tiktok.update_price;
  tiktok.update_price = () => tiktok.answer(12052038, 'The price cannot be edited while a promotion runs');
  edit('L_U2', { price: '61.00 BRL' });
  const list = await changes(await w.run(H));
  tiktok.update_price = original;
  same([line(list, 'price', 'U2').outcome, line(list, 'price', 'U2').old, line(list, 'price', 'U2').new], ['refused', '55.00', '67.10'], JSON.stringify(list));
  ok(/promotion/.test(line(list, 'price', 'U2').reason), JSON.stringify(list));
  edit('L_U2', { price: '50.00 BRL' });
  await w.run(H);
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
