// What a switch keeps from TikTok stays there as it is, is shown as kept back, and travels when the switch is turned on
// again. Judged by the strict TikTok Shop.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'switches-loja';
const SHOP = '7000000000000000131';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-w', [SHOP]);
const img = (name, seed) => { w.merchant.files.set(`/img/${name}.png`, { type: 'image/png', body: png(400, 400, seed) }); return `${w.merchant.url}/img/${name}.png`; };
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', description: 'Boa', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas' };
let items = [
  { ...base, id: 'M', title: 'Caneca M', product_type: 'Casa > Canecas', image_link: img('m', 1) },
  { ...shirt, id: 'S1', item_group_id: 'S', title: 'Camisa S', size: 'P', image_link: img('s', 2) },
  { ...shirt, id: 'S2', item_group_id: 'S', title: 'Camisa S', size: 'M', image_link: img('s', 2) },
];
const write = () => w.merchant.files.set('/w.xml', { body: rss('zz', items) });
write();
const policies = { price: { source: 'feed' }, stock: { source: 'feed' } };
const find = (sku) => [...tiktok.products.values()].find((p) => p.skus.some((s) => s.seller_sku === sku));
const sku = (code) => find(code).skus.find((s) => s.seller_sku === code);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const put = (body) => w.must('PUT', `/v1/clients/${H}/switches`, body);
const kept = (list) => list.map((k) => `${k.what} by ${k.by} ${k.key}`.trim());
async function change(id, fields) {
  items = items.map((i) => (i.id === id || i.item_group_id === id ? { ...i, ...fields } : i));
  write();
  const from = tiktok.calls.length;
  await w.run(H);
  return w.writes(from).map((c) => c.name);
}

await test('everything is on by default, and what is new is sent whole although switches are off', async () => {
  await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja W', tik_tok_shop_feed_link: `${w.merchant.url}/w.xml`, policies });
  same((await w.must('GET', `/v1/clients/${H}`)).policies.sync, { products: true, prices: true, stock: true, orders: true, text: true, images: true, activation: true }, 'policies.sync');
  await put({ scope: 'category', key: 'Moda', text: false, images: false });
  await put({ scope: 'sku', key: 'S1', price: false, stock: false });
  await w.connect(H, 'seller-w');
  await w.run(H);
  await until('all live', async () => (await w.products(H)).every((p) => p.status === 'live'));
  same([sku('S1').price.amount, find('S1').title], ['50.00', 'Camisa S'], 'created whole');
});

await test('text and pictures of the category stay, and of others travel', async () => {
  const names = await change('S', { title: 'Camisa S nova', image_link: img('s-new', 3) });
  same(names, [], 'no write, not even an upload');
  same(find('S1').title, 'Camisa S', 'title');
  const p = await product('S');
  same(kept(p.kept_back), ['text by category Moda', 'images by category Moda'], 'kept back');
  await change('M', { title: 'Caneca M nova' });
  await until('the mug has its title', () => find('M').title === 'Caneca M nova');
});

await test('price and stock of the SKU stay, and of its sister travel; the explanation says why', async () => {
  await change('S', { price: '60.00 BRL', inventory: '8' });
  await until('the sister', () => sku('S2').price.amount === '60.00' && sku('S2').inventory[0].quantity === 8);
  same([sku('S1').price.amount, sku('S1').inventory[0].quantity], ['50.00', 10], 'the SKU');
  const x = await w.must('GET', `/v1/clients/${H}/skus/S1/explain`);
  same([x.price.waiting_for, x.stock.waiting_for], ['switch', 'switch'], JSON.stringify(x));
  same(kept((await product('S')).skus.find((s) => s.seller_sku === 'S1').kept_back), ['price by sku S1', 'stock by sku S1'], 'kept back');
});

await test('a narrower scope decides; what is turned on again travels at once', async () => {
  const r = await put({ scope: 'product', key: 'S', text: true });
  same(r.released_products, 1, 'asked for again');
  await until('the title', () => find('S1').title === 'Camisa S nova');
  same(kept((await product('S')).kept_back), ['images by category Moda'], 'still kept');
  await until('live again', async () => (await product('S')).status === 'live');
  await w.must('DELETE', `/v1/clients/${H}/switches?scope=sku&key=S1`);
  await until('the price', () => sku('S1').price.amount === '60.00' && sku('S1').inventory[0].quantity === 8);
  await w.must('DELETE', `/v1/clients/${H}/switches?scope=category&key=Moda`);
  await until('the pictures', async () => { const p = await product('S'); return p.kept_back.length === 0 && p.skus.every((s) => s.kept_back.length === 0); });
  ok(w.writes().some((c) => c.name === 'partial_edit_product' && c.json.main_images), 'pictures were edited');
});

await test('the client as a whole', async () => {
  await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja W', tik_tok_shop_feed_link: `${w.merchant.url}/w.xml`, policies: { ...policies, sync: { prices: false } } });
  same((await change('M', { price: '70.00 BRL' })), [], 'no write');
  same(kept((await product('M')).skus[0].kept_back), ['price by client'], 'kept back');
  await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja W', tik_tok_shop_feed_link: `${w.merchant.url}/w.xml`, policies });
  await until('the price', () => sku('M').price.amount === '70.00');
});

await test('switches are checked, listed and removed', async () => {
  for (const [body, field] of [[{ scope: 'shelf', key: 'x', text: false }, 'scope'], [{ scope: 'sku', key: 'x', images: false }, 'images'], [{ scope: 'product', key: 'x' }, 'text'], [{ scope: 'product', key: 'x', text: false, odd: 1 }, 'odd']]) {
    const r = await w.api('PUT', `/v1/clients/${H}/switches`, body);
    same([r.status, r.json.errors[0].field], [400, field], r.text);
  }
  const list = await w.must('GET', `/v1/clients/${H}/switches`);
  same(list.items.map((s) => [s.scope, s.key, s.text, s.images]), [['product', 'S', true, null]], 'list');
  same((await w.api('DELETE', `/v1/clients/${H}/switches?scope=product&key=none`)).status, 404, 'unknown');
});

await test('activation: a product that left the feed stays on sale until the switch is on again', async () => {
  await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja W', tik_tok_shop_feed_link: `${w.merchant.url}/w.xml`, policies: { ...policies, removed_products: { hold_above_percent: 100, hold_above_count: 100 } } });
  await put({ scope: 'product', key: 'M', activation: false });
  items = items.filter((i) => i.id !== 'M');
  for (let i = 0; i < 3; i++) { items = items.map((x) => ({ ...x, link: `https://loja.example/${i}` })); write(); await w.run(H); }
  same([find('M').status, w.writes().filter((c) => c.name === 'deactivate_products').length], ['ACTIVATE', 0], 'still on sale');
  await w.must('DELETE', `/v1/clients/${H}/switches?scope=product&key=M`);
  items = items.map((x) => ({ ...x, link: 'https://loja.example/last' })); write();
  await w.run(H);
  await until('off sale', () => find('M').status === 'SELLER_DEACTIVATED');
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
