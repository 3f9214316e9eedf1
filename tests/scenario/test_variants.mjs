// Variants of products that are on sale: one more, one less, other choices, other codes, too many; judged by the strict
// platform, which deletes every SKU that an edit leaves out.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const [H, SHOP] = ['strict-variants', '7000000000000000707'];
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-v', [SHOP]);

let seed = 300;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', description: 'Boa', product_type: 'Moda > Camisetas', shipping_weight: '300 g' };
const v = (group, id, fields) => ({ ...base, id, item_group_id: group, title: `Camisa ${group}`, image_link: img(group), ...fields });
// G groups grow and shrink; K stays as it is, so that no feed looks like a loss of the catalog.
const kept = Array.from({ length: 12 }, (_, i) => v(`K${i}`, `K${i}a`, { color: 'Preto' }));
let items = [];
function offer(list) {
  items = list;
  w.merchant.files.set('/v.xml', { body: rss('g', [...items, ...kept]) });
}
const live = (group) => [...tiktok.products.values()].find((p) => p.shop === SHOP && p.status !== 'DELETED' && p.external_product_id === group);
const ids = (group) => Object.fromEntries(live(group).skus.map((s) => [s.seller_sku, s.id]));
const stocks = (group) => Object.fromEntries(live(group).skus.map((s) => [s.seller_sku, s.inventory[0].quantity]));
const choices = (group, sku) => live(group).skus.find((s) => s.seller_sku === sku).sales_attributes?.map((a) => [a.id ?? a.name, a.value_id ?? a.value_name]);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
async function feed(list) {
  offer(list);
  const from = tiktok.calls.length;
  const run = await w.run(H);
  ok(['succeeded', 'partial'].includes(run.status), JSON.stringify(run));
  await w.settled(H, 60000);
  await until('reviews end', () => [...tiktok.products.values()].every((p) => p.audit !== 'AUDITING'));
  await w.settled(H, 60000);
  return w.writes(from).map((c) => c.name);
}

offer([v('G1', 'a1', { color: 'Azul' })]);
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja V', tik_tok_shop_feed_link: `${w.merchant.url}/v.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(H, 'seller-v');

await test('a product with one SKU and no choices gets a second variant and keeps its SKU', async () => {
  await feed(items);
  same(choices('G1', 'a1') ?? [], [], 'choices of a single SKU');
  const before = ids('G1');
  await feed([v('G1', 'a1', { color: 'Azul' }), v('G1', 'a2', { color: 'Verde', inventory: '4' })]);
  await until('two SKUs', () => live('G1').skus.length === 2);
  same(ids('G1').a1, before.a1, 'id of the first');
  same(stocks('G1'), { a1: 10, a2: 4 }, 'stock');
  same([choices('G1', 'a1'), choices('G1', 'a2')], [[['Cor', 'Azul']], [['Cor', 'Verde']]], 'one form for all, because Verde is no built-in value');
  w.noViolations();
});

await test('a third variant, a value with another name: the ids stay', async () => {
  const before = ids('G1');
  await feed([v('G1', 'a1', { color: 'Azul' }), v('G1', 'a2', { color: 'Verde-água', inventory: '4' }), v('G1', 'a3', { color: 'Preto' })]);
  await until('three SKUs', () => live('G1').skus.length === 3);
  const after = ids('G1');
  same([after.a1, after.a2], [before.a1, before.a2], 'ids');
  same(choices('G1', 'a2'), [['Cor', 'Verde-água']], 'renamed');
  w.noViolations();
});

await test('a variant that leaves the feed stays without stock, and is on sale again when it returns', async () => {
  const before = ids('G1');
  const all = items;
  let calls = await feed(all.filter((i) => i.id !== 'a2'));
  await until('no stock', () => stocks('G1').a2 === 0);
  same(calls, ['update_inventory'], 'nothing but the stock is sent');
  same([ids('G1'), stocks('G1')], [before, { a1: 10, a2: 0, a3: 10 }], 'SKUs');
  calls = await feed(all);
  await until('stock', () => stocks('G1').a2 === 4);
  same([calls, ids('G1')], [['update_inventory'], before], 'the same SKU');
  w.noViolations();
});

await test('two variants, one leaves: what is left keeps its choice', async () => {
  await feed([...items, v('G2', 'b1', { color: 'Azul', size: 'P' }), v('G2', 'b2', { color: 'Vermelho', size: 'M' })]);
  const before = ids('G2');
  await feed(items.filter((i) => i.id !== 'b2'));
  await until('no stock', () => stocks('G2').b2 === 0);
  await feed(items.map((i) => (i.id === 'b1' ? { ...i, description: 'Melhor ainda' } : i)));
  await until('text', () => /Melhor/.test(live('G2').description));
  same(ids('G2'), before, 'ids');
  same(choices('G2', 'b1'), [['Cor', 'Azul'], ['Tamanho', 'P']], 'choices');
  w.noViolations();
});

await test('a variant whose choice another one took over goes, with a word about it', async () => {
  const before = ids('G1');
  await feed([...items.filter((i) => i.id !== 'a3'), v('G1', 'a4', { color: 'Preto' })]);
  await until('the other code', () => ids('G1').a4 && !ids('G1').a3);
  same([ids('G1').a1, ids('G1').a2], [before.a1, before.a2], 'the others');
  const p = await product('G1');
  ok(p.problems.some((x) => x.code === 'variant_removed' && /a3/.test(x.message) && /saiu do feed/.test(x.message_pt)), JSON.stringify(p.problems));
  ok(!p.skus.some((s) => s.seller_sku === 'a3'), 'its row is gone');
  await feed([...items, v('G1', 'a3', { color: 'Branco' })]);
  await until('a3 again', () => ids('G1').a3 && ids('G1').a3 !== before.a3);
  w.noViolations();
});

await test('another kind of choice: who is in the feed keeps its id', async () => {
  const before = ids('G2');
  await feed([...items.filter((i) => i.item_group_id !== 'G2'), v('G2', 'b1', { color: 'Azul', pattern: 'Lisa' }), v('G2', 'b3', { color: 'Azul', pattern: 'Listrada' })]);
  await until('b3', () => ids('G2').b3 && !ids('G2').b2);
  same(ids('G2').b1, before.b1, 'b1');
  same(choices('G2', 'b1'), [['Estampa', 'Lisa']], 'what tells them apart now');
  ok((await product('G2')).problems.some((x) => x.code === 'variant_removed' && /b2/.test(x.message)), 'b2 is told of');
  w.noViolations();
});

await test('more variants than a product may have: not sent, with the reason, and what is on sale stays in step', async () => {
  const many = (n, fields = {}) => Array.from({ length: n }, (_, i) => v('G3', `m${i}`, { size: `T${i}`, image_link: img('m'), ...fields }));
  const without = items;
  await feed([...without, ...many(301)]);
  let p = await product('G3');
  same([p.status, live('G3')], ['rejected', undefined], 'status');
  ok(p.problems.some((x) => x.code === 'sku_count' && /300/.test(x.message) && /300/.test(x.message_pt)), JSON.stringify(p.problems));
  await feed([...without, ...many(300)]);
  await until('on sale', () => live('G3')?.skus.length === 300);
  same((await product('G3')).problems, [], 'problems');
  const calls = await feed([...without, ...many(301, { inventory: '3' })]);
  p = await product('G3');
  same([p.status, live('G3').skus.length], ['live', 300], 'what is on sale stays');
  ok(p.problems.some((x) => x.code === 'sku_count'), JSON.stringify(p.problems));
  same([calls, [...new Set(Object.values(stocks('G3')))]], [['update_inventory'], [3]], 'stock goes on');
  w.noViolations();
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
