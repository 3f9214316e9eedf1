// Edits that did not come to stand: a review that refuses one part takes back all of it, and an answer that is lost
// leaves nobody knowing. In the end TikTok has what the feed says. Judged by the strict platforms.
import { end, same, test, until } from './lib.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const [H, SHOP] = ['loja-revisao', '7495000000000000081'];
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-revisao', [SHOP]);
let seed = 500;
const img = (name) => { w.merchant.files.set(`/img/${name}.png`, { type: 'image/png', body: png(320, 320, ++seed) }); return `${w.merchant.url}/img/${name}.png`; };
const picture = img('e');
const shirt = (id, more = {}) => ({ id, item_group_id: 'E1', title: 'Camiseta E1', description: 'Boa', image_link: picture, link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL',
  inventory: '10', product_type: 'Moda > Camisetas', shipping_weight: '300 g', color: 'Azul', ...more });
const held = () => [...tiktok.products.values()].find((p) => p.external_product_id === 'E1');
const product = () => w.must('GET', `/v1/clients/${H}/products/E1`);
const colors = () => Object.fromEntries(held().skus.map((s) => [s.seller_sku, s.inventory[0].quantity]));
const edits = (from) => w.writes(from).filter((c) => c.name === 'partial_edit_product').map((c) => Object.keys(c.json).sort());
const set = (items) => w.merchant.files.set('/e.xml', { body: rss('g', items) });
async function feed(items) {
  set(items);
  const from = tiktok.calls.length;
  await w.run(H);
  await until('the review ends', async () => held().audit !== 'AUDITING' && !held().pending && (await product()).status === 'live');
  return from;
}
const told = (yes) => until('the product shows it', async () => (await product()).problems.some((x) => x.code === 'review_refused') === yes);

const two = [shirt('E1a'), shirt('E1b', { color: 'Verde' })];
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja E', tik_tok_shop_feed_link: `${w.merchant.url}/e.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(H, 'seller-revisao');
await feed(two);

await test('what a refused review took back goes along with the correction; a new variant is made anew', async () => {
  const changed = [...two, shirt('E1c', { color: 'Preto', inventory: '7' })].map((i) => ({ ...i, shipping_weight: '450 g', title: 'Camiseta REPROVAR' }));
  await feed(changed);
  await told(true);
  same([held().title, held().package_weight.value, colors()], ['Camiseta E1', '0.3', { E1a: 10, E1b: 10 }], 'on sale is the earlier version');
  const from = await feed(changed.map((i) => ({ ...i, title: 'Camiseta boa' })));
  await until('all of it is on sale', () => held().title === 'Camiseta boa').catch((e) => { throw new Error(`${e.message} ${JSON.stringify(edits(from))}`); });
  same([held().package_weight.value, colors()], ['0.45', { E1a: 10, E1b: 10, E1c: 7 }], 'what the first edit brought');
  same(edits(from), [['package_dimensions', 'package_weight', 'skus', 'title']], 'one edit');
  await told(false);
  w.noViolations();
});

await test('once a review has passed, only the difference travels', async () => {
  const from = await feed([...two, shirt('E1c', { color: 'Preto', inventory: '7' })].map((i) => ({ ...i, shipping_weight: '450 g', title: 'Camiseta melhor' })));
  await until('the title is there', () => held().title === 'Camiseta melhor');
  same(edits(from), [['title']], 'edits');
});

await test('a variant of a refused edit that nobody heard of is not named', async () => {
  const now = [...two, shirt('E1c', { color: 'Preto', inventory: '7' })].map((i) => ({ ...i, shipping_weight: '450 g' }));
  tiktok.reviews = 'poll'; // no webhook tells
  await feed([...now, shirt('E1d', { color: 'Branco' })].map((i) => ({ ...i, title: 'Camiseta REPROVAR de novo' })));
  w.sql("UPDATE jobs SET due_at = now() + interval '1 hour' WHERE kind = 'product_audit'");
  tiktok.reviews = 'webhook';
  await feed([...now, shirt('E1d', { color: 'Branco' })].map((i) => ({ ...i, title: 'Camiseta final' })));
  await until('all of it is on sale', () => held().title === 'Camiseta final' && held().skus.length === 4);
  w.noViolations();
});

await test('an edit whose answer was lost, and a feed that goes back: TikTok has what the feed says', async () => {
  const now = [...two, shirt('E1c', { color: 'Preto', inventory: '7' }), shirt('E1d', { color: 'Branco' })].map((i) => ({ ...i, shipping_weight: '450 g', title: 'Camiseta final' }));
  tiktok.faults = [{ operation: 'partial_edit_product', kind: 'done-then-cut', left: 1 }];
  set(now.map((i) => ({ ...i, title: 'Camiseta passageira' })));
  await w.must('POST', `/v1/clients/${H}/sync/products`, {});
  await until('the edit was done', () => held().title === 'Camiseta passageira');
  w.sql("UPDATE jobs SET due_at = now() + interval '1 hour' WHERE kind = 'product_publish' AND state = 'ready'");
  await feed(now);
  await until('the feed stands', () => held().title === 'Camiseta final').catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product())}`); });
  const from = await feed(now);
  same(w.writes(from).map((c) => c.name), [], 'nothing more');
  w.noViolations();
});

await test('SIGTERM ends it', () => w.connector.stop());
await end();
