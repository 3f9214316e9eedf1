// What changes after the first publication, and what goes wrong on the way, judged by the strict platforms: edits,
// odd variants, refusals in every form, platforms that fail, deactivation from outside, two merchants apart.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { CAT, furnish, rss } from '../strict/merchant.mjs';

const [E, F] = ['strict-loja-e', 'strict-loja-f'];
const [SE, SF] = ['7000000000000000505', '7000000000000000606'];
const w = await World.start({ IN_DOUBT_SETTLE_SECONDS: '2' });
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-e', [SE]);
tiktok.addSeller('seller-f', [SF]);
w.vtex.account('strictff', { sc: '7', skus: { 1: { price: 10, stock: [['1_1', 5, 0]] }, 2: { price: 20, stock: [['1_1', 6, 0], ['dead', 50, 0], ['other', 50, 0]] } },
  warehouses: [{ id: '1_1', dock: 'd1' }, { id: 'dead', dock: 'd2', active: false }, { id: 'other', dock: 'd3', sc: ['1'] }] });

let seed = 100;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const feed = (name, items) => { w.merchant.files.set(`/${name}.xml`, { body: rss('zz', items) }); return `${w.merchant.url}/${name}.xml`; };
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: 'Boa', brand: 'Aurora', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas' };
let items = [
  { ...base, id: 'M1', title: 'Caneca M1', image_link: img('m1'), gtin: '7896000120106' },
  { ...base, id: 'M2', title: 'Caneca M2', image_link: img('m2') },
  { ...shirt, id: 'V1a', item_group_id: 'V1', title: 'Camisa V1 Azul P', image_link: img('v1a'), color: 'Azul', size: 'P' },
  { ...shirt, id: 'V1b', item_group_id: 'V1', title: 'Camisa V1 azul M', image_link: img('v1a'), color: 'azul', size: 'M' },
  { ...shirt, id: 'V1c', item_group_id: 'V1', title: 'Camisa V1 Vermelho', image_link: img('v1c'), color: `Vermelho ${'muito '.repeat(12)}vivo`, size: 'P' },
  { ...shirt, id: 'V2a', item_group_id: 'V2', title: 'Camisa V2', image_link: img('v2'), color: 'Verde 🌿', size: 'P' },
  { ...shirt, id: 'V2b', item_group_id: 'V2', title: 'Camisa V2', image_link: img('v2'), color: 'Verde 🌿', size: 'P' },
  { ...shirt, id: 'V3a', item_group_id: 'V3', title: 'Camisa V3', image_link: img('v3'), color: 'Preto', size: 'G' },
  { ...shirt, id: 'V3b', item_group_id: 'V3', title: 'Camisa V3', image_link: img('v3'), color: 'Preto' },
  { ...shirt, id: 'V4a', item_group_id: 'V4', title: 'Camisa V4', image_link: img('v4a'), additional_image_link: Array.from({ length: 10 }, (_, i) => img(`v4-${i}`)), color: 'Branco' },
  { ...shirt, id: 'V4b', item_group_id: 'V4', title: 'Camisa V4', image_link: `${w.merchant.url}/img/missing.png`, color: 'Cinza' },
];
await w.must('PUT', `/v1/clients/${E}`, { name: 'Loja E', tik_tok_shop_feed_link: feed('e', items), policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.must('PUT', `/v1/clients/${F}`, { name: 'Loja F', tik_tok_shop_feed_link: feed('f', [{ ...base, id: '1', title: 'Copo F1', image_link: img('f1') }, { ...base, id: '2', title: 'Copo F2', image_link: img('f2') }]),
  vtex: { account: 'strictff', app_key: 'vtexappkey-strictff-STRICT', app_token: 'token-of-strictff', sales_channel: '7', affiliate_id: 'TTK' } });
await w.connect(E, 'seller-e');
await w.connect(F, 'seller-f');

const find = (sku, shop = SE) => [...tiktok.products.values()].find((p) => p.shop === shop && p.status !== 'DELETED' && p.skus.some((s) => s.seller_sku === sku));
const skuOf = (sku, shop) => find(sku, shop)?.skus.find((s) => s.seller_sku === sku);
const product = (id, h = E) => w.must('GET', `/v1/clients/${h}/products/${id}`);
const state = (id, status, h = E) => until(`${id} is ${status}`, async () => { const p = await product(id, h); return p.status === status && p; }).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id, h))}`); });
async function change(id, fields) {
  items = items.map((i) => (i.id === id ? { ...i, ...fields } : i));
  feed('e', items);
  const from = tiktok.calls.length;
  const run = await w.run(E);
  ok(['succeeded', 'partial'].includes(run.status), `run ${JSON.stringify(run)}`);
  return { run, from, names: () => w.writes(from).map((c) => c.name) };
}

await test('a shop that may not list yet stops with the reason', async () => {
  tiktok.shops.get(SE).blocked = 'Shipping_Template';
  await w.run(E);
  const p = await until('the reason shows', async () => { const x = await product('M1'); return x.problems.length && x; });
  ok(/template/i.test(JSON.stringify(p.problems)), JSON.stringify(p.problems));
  ok(!tiktok.calls.some((c) => c.name === 'create_product'), 'no create');
  delete tiktok.shops.get(SE).blocked;
});

await test('odd variants become what TikTok takes', async () => {
  w.sql("UPDATE jobs SET due_at = now() WHERE kind = 'product_publish'");
  for (const i of items) await w.must('POST', `/v1/clients/${E}/products/${i.item_group_id ?? i.id}/publish`);
  await until('all have an end', async () => (await w.products(E)).every((p) => ['live', 'rejected'].includes(p.status)), 20000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify((await w.products(E)).map((p) => [p.source_id, p.status, p.problems]))}`); });
  w.noViolations();
  same(find('V1a').skus.length, 3, 'V1');
  same(find('V4a').main_images.length, 9, 'images of V4');
  for (const id of ['V2', 'V3']) { const p = await product(id); ok(p.status === 'live' || p.problems.length, `${id}: ${JSON.stringify(p)}`); }
});

await test('a feed price goes by the price call, a feed stock by the inventory call', async () => {
  let c = await change('M1', { price: '55,90 BRL' });
  await until('price', () => skuOf('M1').price.amount === '55.90');
  same(c.names(), ['update_price'], 'writes');
  c = await change('V1b', { inventory: '3' });
  await until('stock', () => skuOf('V1b').inventory[0].quantity === 3);
  same(c.names(), ['update_inventory'], 'writes');
  same([skuOf('V1a').inventory[0].quantity, skuOf('V1c').inventory[0].quantity], [10, 10], 'the others');
});

await test('sold out in the feed is stock 0', async () => {
  await change('M2', { availability: 'out of stock' });
  await until('stock', () => skuOf('M2').inventory[0].quantity === 0);
});

await test('another picture, another weight, another code', async () => {
  let c = await change('M1', { image_link: img('m1-new') });
  await until('picture', () => tiktok.images.get(find('M1').main_images[0].uri).hash !== undefined && c.names().includes('partial_edit_product'));
  same(c.names(), ['upload_product_image', 'partial_edit_product'], 'writes');
  await state('M1', 'live');
  c = await change('M1', { shipping_weight: '450 g' });
  await until('weight', () => Number(find('M1').package_weight.value) * (find('M1').package_weight.unit === 'GRAM' ? 1 : 1000) === 450);
  same(c.names(), ['partial_edit_product'], 'writes');
  await state('M1', 'live');
  await change('M1', { gtin: '7896000120205' });
  await change('M1', { brand: 'Aurora Kids' });
  await until('brand', () => find('M1').brand_id === '7000002');
  w.noViolations();
});

await test('an edit refused in the nested form is told in words; the next feed heals it', async () => {
  const original = tiktok.partial_edit_product;
  tiktok.partial_edit_product = () => tiktok.answer(12052990, 'The check failed.', { errors: [{ code: 12052990, message: 'check', detail: { extra_errors: [{ code: 12052151, message: 'property contains restricted words' }] } }] });
  await change('M2', { title: 'Caneca proibida' });
  const p = await until('problem', async () => { const x = await product('M2'); return x.problems.length && x; });
  ok(p.problems.some((x) => String(x.platform_code).includes('120521') || /restricted/.test(x.message)), JSON.stringify(p.problems));
  tiktok.partial_edit_product = original;
  await change('M2', { title: 'Caneca permitida' });
  await until('title', () => find('M2').title === 'Caneca permitida');
  same((await state('M2', 'live')).problems.filter((x) => /restricted/.test(x.message)), [], 'problems');
});

await test('a stock that TikTok refuses inside a code 0 is no success', async () => {
  skuOf('V1a').locked = 8;
  await change('V1a', { inventory: '2' });
  const p = await until('problem', async () => { const x = await product('V1'); return x.problems.length && x; });
  ok(/promo|lock|12052393/i.test(JSON.stringify(p.problems)), JSON.stringify(p.problems));
  const row = p.skus.find((s) => s.seller_sku === 'V1a').stock;
  same([row.desired, row.published], [2, 10], 'desired and published');
  delete skuOf('V1a').locked;
  await change('V1a', { inventory: '4' });
  await until('stock', () => skuOf('V1a').inventory[0].quantity === 4);
});

await test('a price that a promotion holds is no success either', async () => {
  const original = tiktok.update_price;
  tiktok.update_price = () => tiktok.answer(12052038, 'The price cannot be edited while a promotion runs');
  await change('V1a', { price: '61.00 BRL' });
  const p = await until('problem', async () => { const x = await product('V1'); return x.problems.length && x; });
  same(p.skus.find((s) => s.seller_sku === 'V1a').price.published, '50.00', 'published');
  tiktok.update_price = original;
});

await test('a variant that left the feed once is not deleted; its group stays whole', async () => {
  const ids = find('V1a').skus.map((s) => s.id).sort();
  const kept = items;
  items = items.filter((i) => i.id !== 'V1c');
  await change('V1a', {});
  same(find('V1a').skus.map((s) => s.id).filter((x) => ids.includes(x)).length, 3, 'SKUs after one feed');
  items = kept;
  await change('V1a', { price: '62.00 BRL' });
});

await test('a feed that is cut, empty or HTML changes nothing', async () => {
  const from = tiktok.calls.length;
  for (const [what, body] of [['cut', rss('zz', items).slice(0, 900)], ['empty', ''], ['html', '<!doctype html><html><body>manutenção</body></html>'], ['no items', rss('zz', [])], ['shrunken', rss('zz', items.slice(0, 1))]]) {
    w.merchant.files.set('/e.xml', { body });
    const run = await w.run(E);
    ok(['failed', 'held'].includes(run.status), `${what}: ${JSON.stringify(run)}`);
    ok(run.problem, `${what} says why: ${JSON.stringify(run)}`);
  }
  same(w.writes(from).length, 0, 'writes');
  feed('e', items);
});

await test('dry_run writes nothing and says what it would do', async () => {
  items = items.map((i) => (i.id === 'M2' ? { ...i, title: 'Caneca de ensaio' } : i));
  feed('e', items);
  const from = tiktok.calls.length;
  const r = await w.must('POST', `/v1/clients/${E}/sync/products?dry_run=true`, {});
  const run = await until('dry run ends', async () => { const x = await w.must('GET', `/v1/runs/${r.run_id}`); return ['succeeded', 'partial', 'failed', 'held'].includes(x.status) && x; });
  same([run.status, run.dry_run], ['succeeded', true], JSON.stringify(run));
  same(w.writes(from).length, 0, 'writes');
  const changes = await w.must('GET', `/v1/runs/${r.run_id}/changes`);
  ok(changes.items.some((x) => x.source_id === 'M2'), JSON.stringify(changes));
  await w.run(E);
  await until('title', () => find('M2').title === 'Caneca de ensaio');
});

await test('429, 503 as HTML and internal errors are borne; a create keeps its key', async () => {
  tiktok.faults = [{ operation: 'create_product', kind: '429', left: 1 }, { operation: 'create_product', kind: '503', left: 1 }, { operation: 'create_product', kind: 'done-then-internal', left: 1 }, { operation: 'upload_product_image', kind: 'internal', left: 1 }];
  const from = tiktok.calls.length;
  items.push({ ...base, id: 'M9', title: 'Caneca teimosa', image_link: img('m9') });
  await change('M9', {});
  await until('it is there', async () => { w.sql("UPDATE jobs SET due_at = now() WHERE kind IN ('product_publish', 'product_audit') AND state = 'ready'"); return find('M9')?.status === 'ACTIVATE' && (await product('M9')).status === 'live'; }, 25000);
  const creates = tiktok.calls.slice(from).filter((c) => c.name === 'create_product');
  same(new Set(creates.map((c) => JSON.parse(c.body).idempotency_key)).size, 1, 'keys');
  same([...tiktok.products.values()].filter((p) => p.skus.some((s) => s.seller_sku === 'M9')).length, 1, 'products');
});

await test('a token page that stumbles does not cost the authorization', async () => {
  const seller = tiktok.sellers.get('seller-e');
  let left = 2;
  tiktok.refreshFault = () => left-- > 0;
  for (const g of seller.grants) g.expired = true;
  items = items.map((i) => (i.id === 'M9' ? { ...i, price: '51.00 BRL' } : i));
  feed('e', items);
  await w.must('POST', `/v1/clients/${E}/sync/products`, {});
  await until('price', () => { w.sql("UPDATE jobs SET due_at = now() WHERE state = 'ready' AND kind IN ('product_publish', 'token_refresh')"); return skuOf('M9').price.amount === '51.00'; }, 25000);
  same((await w.must('GET', `/v1/clients/${E}/shops`)).items[0].status, 'connected', 'shop');
  same(seller.refreshed, 1, 'refreshes');
});

await test('VTEX: warehouses of the policy count when none is named; trouble of one merchant stays there', async () => {
  await w.run(F);
  await state('2', 'live', F);
  same([skuOf('1', SF).inventory[0].quantity, skuOf('2', SF).inventory[0].quantity], [5, 6], 'stock');
  w.vtex.faults = [{ operation: 'getComputedPrice', left: 1, answer: { status: 429, headers: { 'retry-after': '1' }, raw: '' } }, { operation: 'getInventoryBySku', left: 1, answer: { status: 500, raw: 'oops' } }];
  w.vtex.accounts.get('strictff').skus[1].price = 11;
  await w.must('POST', `/v1/clients/${F}/products/1/publish`);
  await until('price', () => { w.sql("UPDATE jobs SET due_at = now() WHERE state = 'ready' AND kind = 'product_publish'"); return skuOf('1', SF).price.amount === '11.00'; }, 15000);
  w.vtex.accounts.get('strictff').token = 'rotated';
  const bad = w.vtex.violations.length;
  await w.must('POST', `/v1/clients/${F}/products/1/publish`);
  await until('refused', () => w.vtex.violations.length > bad);
  await new Promise((r) => setTimeout(r, 1000));
  ok(w.vtex.violations.length - bad <= 4, `calls with a refused key: ${w.vtex.violations.length - bad}`);
  w.vtex.violations.splice(bad);
  await change('M9', { price: '52.00 BRL' });
  await until('E goes on', () => skuOf('M9').price.amount === '52.00');
});

await test('what the platform does to a product is shown: deactivated, frozen, deleted', async () => {
  for (const [status, shown] of [['PLATFORM_DEACTIVATED', 'deactivated'], ['FREEZE', 'held'], ['ACTIVATE', 'live'], ['DELETED', 'deleted']]) {
    const p = [...tiktok.products.values()].find((x) => x.skus.some((s) => s.seller_sku === 'M9'));
    p.status = status;
    same((await w.hook(SE, 5, `{"product_id":${p.id},"status":"PRODUCT_STATUS_CHANGED","suspended_reason":"x","update_time":${Math.floor(Date.now() / 1000)}}`)).status, 200, 'answer');
    await state('M9', shown);
  }
});

await test('webhook 7 shows the end of the authorization; 16 and 18 are borne for unknown products', async () => {
  const at = Math.floor(Date.now() / 1000) + 86400 * 3;
  for (const [type, data] of [[7, `{"message":"expiring","expiration_time":"${at}"}`], [16, '{"product_id":99999999999999999999,"product_types":[],"update_time":1}'], [18, '{"product_id":"1","previous_category_id":1,"current_category_id":"2","update_time":1}']]) same((await w.hook(SE, type, data)).status, 200, `topic ${type}`);
  await until('shown', async () => Math.abs(Date.parse((await w.must('GET', `/v1/clients/${E}/shops`)).items[0].authorization_ends_at) / 1000 - at) < 2);
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
