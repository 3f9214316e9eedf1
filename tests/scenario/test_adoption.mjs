// What stands on TikTok already is linked instead of listed twice, and keeps what people made of it; what only stands
// there is shown until somebody links it. Judged by the strict TikTok Shop.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { CAT, furnish, rss } from '../strict/merchant.mjs';

const H = 'adoption-loja';
const SHOP = '7000000000000000111';
const w = await World.start({ IN_DOUBT_SETTLE_SECONDS: '2' });
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-h', [SHOP]);

let seed = 0;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: 'Boa', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas' };
const items = [
  { ...base, id: 'EXT', title: 'Caneca externa', image_link: img('ext') },
  { ...shirt, id: 'V-P', item_group_id: 'V', title: 'Camisa V', image_link: img('v'), color: 'Azul', size: 'P', material: 'Couro' },
  { ...shirt, id: 'V-M', item_group_id: 'V', title: 'Camisa V', image_link: img('v2'), color: 'Verde', size: 'M', material: 'Couro' },
  { ...base, id: 'C1', title: 'Caneca C1', image_link: img('c1') },
  { ...base, id: 'C2', title: 'Caneca C2', image_link: img('c2') },
  { ...base, id: 'S1', title: 'Caneca S1', image_link: img('s1') },
  { ...base, id: 'GONE', title: 'Caneca apagada', image_link: img('gone-1') },
  { ...base, id: 'OFF', title: 'Caneca fora de venda', image_link: img('off') },
  { ...base, id: 'NEW', title: 'Caneca nova', image_link: img('new') },
];
const write = () => w.merchant.files.set('/h.xml', { body: rss('zz', items) });
write();

// What people listed before the shop was connected.
const mug = { category_id: CAT.mug, package_dimensions: { length: '10', width: '10', height: '10', unit: 'CENTIMETER' } };
const choice = (color, size) => [{ id: '100000', value_name: color }, { id: '100007', value_name: size }];
const on = {
  ext: tiktok.people(SHOP, { ...mug, external_product_id: 'EXT', skus: [{ seller_sku: 'outro-codigo' }] }),
  v: tiktok.people(SHOP, { category_id: CAT.shirt, title: 'Camisa V feita à mão', video: { id: 'video-1' },
    product_attributes: [{ id: '100101', values: [{ id: '5', name: 'Algodão' }] }, { id: '100102', values: [{ id: '61', name: 'Bovino' }] }],
    skus: [{ seller_sku: 'V-P', sales_attributes: choice('Azul', 'P') }, { seller_sku: 'V-M', sales_attributes: choice('Verde', 'M') }, { seller_sku: 'V-G', sales_attributes: choice('Azul', 'G') }] }),
  both: tiktok.people(SHOP, { ...mug, skus: [{ seller_sku: 'C1', sales_attributes: [{ name: 'Color', value_name: 'A' }] }, { seller_sku: 'C2', sales_attributes: [{ name: 'Color', value_name: 'B' }] }] }),
  s1: tiktok.people(SHOP, { ...mug, title: 'Primeira S1', skus: [{ seller_sku: 'S1' }] }),
  s2: tiktok.people(SHOP, { ...mug, title: 'Segunda S1', skus: [{ seller_sku: 'S1' }] }),
  gone: tiktok.people(SHOP, { ...mug, status: 'DELETED', skus: [{ seller_sku: 'GONE' }] }),
  off: tiktok.people(SHOP, { ...mug, status: 'SELLER_DEACTIVATED', skus: [{ seller_sku: 'OFF' }] }),
  only: tiktok.people(SHOP, { ...mug, title: 'Só no TikTok', skus: [{ seller_sku: 'SO-1' }] }),
};
const names = (from = 0) => tiktok.calls.slice(from).map((c) => c.name);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const unlinked = async () => (await w.must('GET', `/v1/clients/${H}/unlinked-skus?limit=200`)).items;
const become = (id, what, fits) => until(`${id} ${what}`, async () => { const p = await product(id); return fits(p) && p; }).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });

await test('the whole catalog is listed once when the shop is connected, in windows that TikTok lists whole', async () => {
  tiktok.searchMax = 4;
  await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja H', tik_tok_shop_feed_link: `${w.merchant.url}/h.xml`, policies: { sync: { products: false }, price: { source: 'feed' }, stock: { source: 'feed' } } });
  for (const [i, p] of Object.values(on).entries()) p.created -= 40 * i;
  await w.connect(H, 'seller-h');
  const list = await until('the catalog is known', async () => { const u = await unlinked(); return u.length >= 10 && u; });
  same(list.map((u) => u.seller_sku).sort(), ['C1', 'C2', 'OFF', 'S1', 'S1', 'SO-1', 'V-G', 'V-M', 'V-P', 'outro-codigo'], 'SKUs that are linked to nothing');
  const only = list.find((u) => u.seller_sku === 'SO-1');
  same([only.product_name, only.seen_in, only.tiktok_product_id, only.waiting_orders], ['Só no TikTok', 'catalog', on.only.id, 0], 'as it is shown');
  ok(!names().includes('get_product'), 'nothing is read one by one while there is no feed');
  const first = await w.must('GET', `/v1/clients/${H}/unlinked-skus?limit=4`);
  const second = await w.must('GET', `/v1/clients/${H}/unlinked-skus?limit=200&cursor=${encodeURIComponent(first.next)}`);
  same([...first.items, ...second.items], list, 'page by page');
  delete tiktok.searchMax;
  const calls = names().filter((n) => n === 'search_products').length;
  ok(calls < 120, `${calls} searches`);
});

await test('a dry reconciliation of a read feed says what it would link', async () => {
  await w.must('POST', `/v1/clients/${H}/sync/products`, {}); // the client's policy says that nothing is listed yet
  await until('the feed is stored', async () => (await w.products(H)).length === 8 && w.sql("SELECT count(*) FROM jobs WHERE kind IN ('feed_read', 'product_publish')") === '0');
  const r = await w.must('POST', `/v1/clients/${H}/sync/reconcile?dry_run=true`, {}, { headers: { prefer: 'wait=20' } });
  same([r.status, r.dry_run], ['succeeded', true], JSON.stringify(r));
  const { items: changes } = await w.must('GET', `/v1/runs/${r.id}/changes`);
  const links = changes.filter((c) => c.action === 'link' && c.outcome === 'planned');
  same(links.map((c) => c.source_id).sort(), ['C1', 'C2', 'EXT', 'OFF', 'S1', 'V'], 'links');
  same(links.find((c) => c.source_id === 'EXT').new, on.ext.id, 'by external id');
  same(links.find((c) => c.source_id === 'V').new, on.v.id, 'by SKU code');
  ok((await w.products(H)).every((p) => p.tiktok_product_id === null), 'and links nothing');
});

await test('what exists is linked, what does not is listed, and nothing is searched for one by one', async () => {
  const from = tiktok.calls.length;
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { sync: { products: true } } }, { headers: { 'content-type': 'application/merge-patch+json' } });
  const run = await w.run(H, 'reconcile');
  same([run.status, run.progress.total, run.progress.done, run.progress.updated, run.progress.failed], ['partial', 6, 6, 3, 3], 'the run');
  for (const id of ['GONE', 'NEW']) await w.must('POST', `/v1/clients/${H}/products/${id}/publish`);
  await until('all have an end', async () => (await w.products(H)).every((p) => ['live', 'rejected', 'deactivated'].includes(p.status)), 25000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify((await w.products(H)).map((p) => [p.source_id, p.status, p.problems]))}`); });
  const all = Object.fromEntries((await w.products(H)).map((p) => [p.source_id, p]));
  same(on.ext.skus[0].id, all.EXT.skus[0].tiktok_sku_id, 'the only SKU for the only SKU');
  same([all.EXT.tiktok_product_id, all.V.tiktok_product_id, all.OFF.tiktok_product_id], [on.ext.id, on.v.id, on.off.id], 'links');
  const made = tiktok.calls.slice(from).filter((c) => c.name === 'create_product').map((c) => c.json.external_product_id).sort();
  same(made, ['GONE', 'NEW'], 'created');
  ok(!tiktok.calls.some((c) => c.name === 'search_products' && c.json.seller_skus), 'no search for single SKUs');
  for (const id of ['C1', 'C2']) {
    same([all[id].status, all[id].problems[0]?.code, all[id].tiktok_product_id], ['rejected', 'adoption_conflict', null], id);
    ok(all[id].problems[0].message.includes(on.both.id), all[id].problems[0].message);
  }
  same([all.S1.status, all.S1.problems[0]?.code], ['rejected', 'adoption_several'], 'S1');
  ok([on.s1.id, on.s2.id].every((id) => all.S1.problems[0].message.includes(id)), all.S1.problems[0].message);
  w.noViolations();
});

await test('the first edit keeps what people added', async () => {
  await become('V', 'is live', (p) => p.status === 'live');
  await until('the edit is live', () => on.v.title === 'Camisa V');
  same(on.v.skus.map((s) => s.seller_sku).sort(), ['V-G', 'V-M', 'V-P'], 'SKUs');
  same(on.v.skus.map((s) => s.sales_attributes), [choice('Azul', 'P'), choice('Verde', 'M'), choice('Azul', 'G')], 'choices');
  const mine = tiktok.calls.filter((c) => c.name === 'partial_edit_product' && c.path.includes(on.v.id));
  ok(mine.length >= 1 && mine.every((c) => !('skus' in c.json) && !('package_weight' in c.json && c.json.package_weight.value === '0.500')), JSON.stringify(mine.map((c) => Object.keys(c.json))));
  same(on.v.product_attributes.map((a) => [a.id, a.values.map((v) => v.id)]), [['100101', ['6']], ['100102', ['61']]], 'attributes: ours and theirs');
  await until('prices of ours', () => ['V-P', 'V-M'].every((c) => on.v.skus.find((s) => s.seller_sku === c).price.amount === '50.00'));
  await until('stock of ours', () => ['V-P', 'V-M'].every((c) => on.v.skus.find((s) => s.seller_sku === c).inventory[0].quantity === 10));
  const g = on.v.skus.find((s) => s.seller_sku === 'V-G');
  same([g.price.amount, g.inventory[0].quantity], ['10.00', 3], 'the SKU that the feed does not know');
  same(on.off.status, 'SELLER_DEACTIVATED', 'what people took off sale stays off sale');
  w.noViolations();
});

await test('a SKU that the feed adds later joins the others, and none goes', async () => {
  items.push({ ...shirt, id: 'V-GG', item_group_id: 'V', title: 'Camisa V', image_link: img('v'), color: 'Azul', size: 'GG', material: 'Couro' });
  write();
  await w.run(H);
  await until('four SKUs', () => on.v.skus.length === 4).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify([await product('V'), on.v.skus])}`); });
  same(on.v.skus.map((s) => s.seller_sku).sort(), ['V-G', 'V-GG', 'V-M', 'V-P'], 'SKUs');
  w.noViolations();
});

await test('only what is linked to nothing stays on the list, until it is linked or deleted', async () => {
  same((await unlinked()).map((u) => u.seller_sku).sort(), ['C1', 'C2', 'S1', 'S1', 'SO-1', 'V-G'], 'still open');
  const only = on.only.skus[0].id;
  const linked = await w.must('PUT', `/v1/clients/${H}/unlinked-skus/${only}`, { vtex_sku_id: '4711' });
  same(linked.released_orders, 0, 'no order waits');
  ok(!(await unlinked()).some((u) => u.seller_sku === 'SO-1'), 'a linked one is gone');
  same((await w.api('PUT', `/v1/clients/${H}/unlinked-skus/999`, { vtex_sku_id: '4711' })).status, 404, 'one that nobody saw');
  on.s2.status = 'DELETED';
  await w.hook(SHOP, 5, `{"product_id":"${on.s2.id}","status":"PRODUCT_STATUS_CHANGED"}`);
  await until('a deleted one is gone', async () => (await unlinked()).filter((u) => u.seller_sku === 'S1').length < 2);
});

await test('once only one is left, the product is linked to it by itself', async () => {
  const p = await become('S1', 'is linked', (x) => x.tiktok_product_id === on.s1.id);
  same(p.problems.filter((x) => x.code === 'adoption_several'), [], 'problems');
});

await test('what people list later is known by webhook, and taken over when the feed brings it', async () => {
  const late = tiktok.people(SHOP, { ...mug, title: 'Tarde', skus: [{ seller_sku: 'LATE' }] });
  late.created = late.updated = Math.floor(Date.now() / 1000);
  await w.hook(SHOP, 16, `{"product_id":"${late.id}","update_time":${late.created}}`);
  await until('it shows', async () => (await unlinked()).some((u) => u.seller_sku === 'LATE'));
  items.push({ ...base, id: 'LATE', title: 'Caneca tardia', image_link: img('late') });
  write();
  const from = tiktok.calls.length;
  await w.run(H);
  await become('LATE', 'is linked', (p) => p.tiktok_product_id === late.id);
  ok(!names(from).includes('create_product'), names(from).join(' '));
  ok(!names(from).includes('search_products'), 'a listing that is fresh is not read again');
});

await test('reconciliation finds what was deleted while no webhook came', async () => {
  on.ext.status = 'DELETED';
  const run = await w.run(H, 'reconcile');
  ok(['succeeded', 'partial'].includes(run.status), JSON.stringify(run));
  await become('EXT', 'is known to be deleted', (p) => p.status === 'deleted');
  w.noViolations();
});

await test('SIGTERM ends it', () => w.connector.stop());
await end();
