// test_value_events.mjs - what makes a price or a stock be read: VTEX's notifications in every spelling and amount, TikTok's
// own word on stock; who may say so, and what the second look after a minute is good for.
import { end, ok, request, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-eventos';
const SHOP = '7000000000000001212';
const SECRET = 'segredo-da-loja-de-eventos-0001';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-ev', [SHOP]);
const ids = ['101', '102', '103', '104'];
const account = w.vtex.account('strictev', { sc: '3', skus: Object.fromEntries(ids.map((id, i) => [id, { price: 10 + i, stock: [['1_1', 5 + i, 0]] }])), warehouses: [{ id: '1_1', dock: 'd1' }] });
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 9) });
const item = (id) => ({ id, title: `Caneca Evento ${id}`, description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price: '50.00 BRL', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' });
w.merchant.files.set('/e.xml', { body: rss('g', ids.map(item)) });
const client = (policies = {}) => w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Eventos', tik_tok_shop_feed_link: `${w.merchant.url}/e.xml`,
  vtex: { account: 'strictev', app_key: 'vtexappkey-strictev-STRICT', app_token: 'token-of-strictev', sales_channel: '3', affiliate_id: 'TTK', hook_secret: SECRET }, policies });
await client();
await w.connect(H, 'seller-ev');

const skuOf = (code) => [...tiktok.products.values()].flatMap((p) => p.skus).find((s) => s.seller_sku === code);
const stockOf = (code) => skuOf(code).inventory[0].quantity;
const notify = (body, { secret = SECRET, hash = H } = {}) => request('POST', `${w.url}/vtex/${hash}/${secret}/notifications`, { body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const said = (id, more = {}) => ({ IdSku: id, ProductId: 300, An: 'strictev', IdAffiliate: 'TTK', Version: '1', DateModified: '2026-01-01T00:00:00.1234567Z', IsActive: true, StockModified: false, PriceModified: false, HasStockKeepingUnitModified: false, HasStockKeepingUnitRemovedFromAffiliate: false, ...more });
const reads = (from, name) => w.vtex.calls.slice(from).filter((c) => c.name === name).length;
const idle = () => until('no value job is due', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_values' AND due_at < now() + interval '20 seconds'") === '0');
const secondLook = () => w.sql("UPDATE value_notices SET due_at = now(); UPDATE jobs SET due_at = now() WHERE kind = 'product_values'; UPDATE shop_schedule SET due_at = now()");

await test('the products stand', async () => {
  await w.run(H);
  await until('all are live', async () => { const all = await w.products(H); return all.length === 4 && all.every((p) => p.status === 'live'); });
  await idle();
});

await test('every spelling of the keys, a number as id: stock and price arrive', async () => {
  account.skus[101].stock = [['1_1', 2, 0]];
  same((await notify(said('101', { StockModified: true }))).status, 200, 'answer');
  await until('stock of 101', () => stockOf('101') === 2);
  account.skus[102].price = 44.44;
  same((await notify({ idSKU: 102, an: 'STRICTEV', idAffiliate: 'ttk', priceModified: true, isActive: true })).status, 200, 'answer');
  await until('price of 102', () => skuOf('102').price.amount === '44.44');
  account.skus[103].stock = [['1_1', 1, 0]];
  account.skus[103].price = 9.9;
  same((await notify({ idSku: '103', stockModified: false, priceModified: false, Something: { new: [1] } })).status, 200, 'nothing in particular');
  await until('both of 103', () => stockOf('103') === 1 && skuOf('103').price.amount === '9.90');
  const e = await w.must('GET', `/v1/clients/${H}/skus/101/explain`);
  same([e.stock.inputs[0].call, e.stock.published, e.stock.waiting_for], ['getInventoryBySku', 2, null], 'explained');
});

await test('who may not, and what cannot be read, changes nothing', async () => {
  await idle();
  account.skus[101].stock = [['1_1', 9, 0]];
  const from = w.vtex.calls.length;
  same((await notify(said('101', { StockModified: true }), { secret: 'segredo-errado-0000000000000000' })).status, 401, 'wrong secret');
  same((await notify(said('101', { StockModified: true }), { hash: 'nobody-of-this-name' })).status, 401, 'no such client');
  same((await notify(said('101', { StockModified: true, An: 'another' }))).status, 200, 'another account');
  same((await notify(said('101', { StockModified: true, IdAffiliate: 'XYZ' }))).status, 200, 'another affiliate');
  same((await notify(said('999999', { StockModified: true }))).status, 200, 'a SKU that is not sold here');
  for (const bad of ['', '[]', '{"IdSku":', '{"StockModified":true}', '{"IdSku":"12x"}', '{"IdSku":null}', '"101"', `{"IdSku":"${'1'.repeat(40)}"}`, '{"IdSku":1e3}'])
    same((await notify(bad)).status, 400, `malformed ${bad}`);
  same((await request('GET', `${w.url}/vtex/${H}/${SECRET}/notifications`, {})).status, 405, 'method');
  same([w.vtex.calls.length - from, w.sql('SELECT count(*) FROM value_notices WHERE looks = 0')], [0, '0'], 'nothing was read');
  same(stockOf('101'), 2, 'stock');
});

await test('hundreds of notifications of one SKU are a few reads', async () => {
  const from = w.vtex.calls.length;
  account.skus[101].stock = [['1_1', 8, 0]];
  const all = await Promise.all(Array.from({ length: 400 }, (_, i) => notify(said('101', { StockModified: i % 2 === 0, PriceModified: i % 3 === 0 }))));
  ok(all.every((r) => r.status === 200), JSON.stringify([...new Set(all.map((r) => r.status))]));
  await until('stock of 101', () => stockOf('101') === 8);
  await idle();
  ok(reads(from, 'getInventoryBySku') < 40, `${reads(from, 'getInventoryBySku')} reads`);
});

await test('an answer from a cache is set right by the second look', async () => {
  const from = w.vtex.calls.length;
  same((await notify(said('104', { StockModified: true }))).status, 200, 'answer');
  await until('it was read', () => reads(from, 'getInventoryBySku') === 1);
  await idle();
  account.skus[104].stock = [['1_1', 3, 0]]; // what VTEX should have said
  same(w.sql("SELECT looks || ' ' || (due_at > now() + interval '20 seconds') FROM value_notices WHERE seller_sku = '104'"), '1 true', 'a second look is due');
  secondLook();
  await until('stock of 104', () => stockOf('104') === 3, 45000);
  await until('it is over', () => w.sql("SELECT count(*) FROM value_notices WHERE seller_sku = '104'") === '0');
});

await test('inactive or taken from the affiliate is 0 at once, whatever else VTEX answers; the second look decides', async () => {
  same((await notify(said('104', { HasStockKeepingUnitRemovedFromAffiliate: true }))).status, 200, 'answer');
  await until('stock 0', () => stockOf('104') === 0);
  same((await notify(said('103', { IsActive: false, PriceModified: true }))).status, 200, 'answer');
  await until('stock 0', () => stockOf('103') === 0);
  await idle();
  account.skus[103].inactive = true;
  secondLook();
  await until('104 was not taken away', () => stockOf('104') === 3, 45000);
  await idle();
  same(stockOf('103'), 0, '103 was');
});

await test("TikTok's word on stock makes us look at the source", async () => {
  await idle();
  account.skus[102].stock = [['1_1', 4, 0]];
  const id = [...tiktok.products.values()].find((p) => p.skus.some((s) => s.seller_sku === '102')).id;
  same((await w.hook(SHOP, 27, `{"product_id":"${id}","status":"LOW_STOCK"}`)).status, 200, 'answer');
  await until('stock of 102', () => stockOf('102') === 4);
});

await test('what VTEX says in a broken way changes nothing', async () => {
  await idle();
  for (const answer of [{ status: 200, raw: '<html>manutenção</html>' }, { status: 200, raw: '{"skuId":"102","balance":[{"wareho' }, { status: 200, raw: '{"skuId":"102"}' },
    { status: 200, raw: '{"skuId":"102","balance":[{"warehouseId":"1_1","totalQuantity":1234567890123456789012345678901,"reservedQuantity":0}]}' },
    { status: 200, raw: '{"skuId":"102","balance":[{"warehouseId":"1_1"}]}' }, { status: 502, raw: 'Bad gateway' }, { cut: true }]) {
    const from = w.vtex.calls.length;
    w.vtex.faults.push({ operation: 'getInventoryBySku', left: 1, answer });
    account.skus[102].stock = [['1_1', stockOf('102') + 1, 0]];
    await notify(said('102', { StockModified: true }));
    await until(`it was read (${JSON.stringify(answer)})`, () => reads(from, 'getInventoryBySku') >= 2, 45000);
    await until('the right stock arrives', () => stockOf('102') === account.skus[102].stock[0][1], 45000);
  }
  ok(!w.sql("SELECT string_agg(new, ',') FROM tiktok_log_stock WHERE entity = '102'").split(',').includes('0'), 'never 0');
});

await test('a promotion ends some time: the price is tried again', async () => {
  await idle();
  skuOf('101').promotion = true;
  account.skus[101].price = 77;
  await notify(said('101', { PriceModified: true }));
  await until('it waits', async () => (await w.must('GET', `/v1/clients/${H}/skus/101/explain`)).price.waiting_for === 'promotion');
  await idle();
  secondLook();
  await until('it was refused twice', () => tiktok.calls.filter((c) => c.name === 'update_price' && c.failed).length >= 2, 45000);
  await idle();
  delete skuOf('101').promotion;
  secondLook();
  await until('price of 101', () => skuOf('101').price.amount === '77.00', 45000);
  await until('it waits no more', async () => (await w.must('GET', `/v1/clients/${H}/skus/101/explain`)).price.waiting_for === null);
});

await test('how old changes were when TikTok took them is told for the shop', async () => {
  const [shop] = (await w.must('GET', `/v1/clients/${H}/shops`)).items;
  const { price, stock } = shop.freshness;
  ok(price.changes >= 2 && stock.changes >= 4 && price.p50_seconds > 0 && price.p95_seconds >= price.p50_seconds && stock.p95_seconds >= stock.p50_seconds, JSON.stringify(shop.freshness));
  const metrics = (await request('GET', `http://127.0.0.1:${w.opsPort}/metrics`)).text;
  ok(/connector_value_age_seconds_count\{value="stock"\} [1-9]/.test(metrics) && /connector_vtex_notices_total\{outcome="wrong_secret"\} [1-9]/.test(metrics), 'metrics');
  tiktok.reviews = 'off';
  skuOf('103').promotion = true;
  account.skus[103].price = 31;
  await notify(said('103', { PriceModified: true }));
  const waits = await until('it waits', async () => (await w.must('GET', `/v1/clients/${H}/shops`)).items[0].freshness.oldest_unsent_at);
  ok(Date.parse(waits) > Date.now() - 60000, waits);
});

await test('no request broke a contract', () => w.noViolations());
await end();
