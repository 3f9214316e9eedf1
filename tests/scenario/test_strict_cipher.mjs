// test_strict_cipher.mjs - TikTok gives a shop another cipher: the list of shops is read once more, the call is repeated once.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const HASH = 'strict-loja-cifra';
const [SHOP, OTHER] = ['7000000000000000701', '7000000000000000702'];
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-cifra', [SHOP, OTHER]);
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 7) });
const feed = (price) => { w.merchant.files.set('/cifra.xml', { body: rss('g', [{ id: 'C1', title: 'Caneca Cifra', description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price, inventory: '5', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' }]) }); return `${w.merchant.url}/cifra.xml`; };
await w.must('PUT', `/v1/clients/${HASH}`, { name: 'Loja Cifra', tik_tok_shop_feed_link: feed('50.00 BRL'), policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(HASH, 'seller-cifra');

const shopOf = () => [...tiktok.products.values()].find((p) => p.status !== 'DELETED');
const priceOf = () => shopOf().skus[0].price.amount;
const names = (from) => tiktok.calls.slice(from).filter((c) => ['get_authorized_shops', 'update_price'].includes(c.name)).map((c) => (c.failed ? `${c.name} refused` : c.name));
const rotate = (listed) => { for (const id of [SHOP, OTHER]) { const s = tiktok.shops.get(id); s.retired = [...(s.retired ?? []), s.cipher]; s.cipher += 'x'; s.listed = listed ? s.retired.at(-1) : undefined; } };
const parked = () => w.sql("SELECT count(*) FROM jobs WHERE state = 'parked'").trim();

await test('a shop is listed with its first cipher', async () => {
  await w.run(HASH);
  await until('the product is there', () => shopOf());
  await w.settled(HASH);
});

await test('another cipher costs one look at the list of shops and one repeated call', async () => {
  rotate(false);
  const from = tiktok.calls.length;
  feed('51.00 BRL');
  same((await w.run(HASH)).status, 'succeeded', 'run');
  await until('price', () => priceOf() === '51.00');
  same(names(from), ['update_price refused', 'get_authorized_shops', 'update_price'], 'calls');
  same(parked(), '0', 'nothing parked');
});

await test('the cipher that was read is kept', async () => {
  const from = tiktok.calls.length;
  feed('52.00 BRL');
  await w.run(HASH);
  await until('price', () => priceOf() === '52.00');
  same(names(from), ['update_price'], 'calls');
});

await test('a list that knows no other cipher parks the work', async () => {
  rotate(true);
  const from = tiktok.calls.length;
  feed('53.00 BRL');
  await w.run(HASH);
  await until('it is parked', () => parked() !== '0');
  same(names(from), ['update_price refused', 'get_authorized_shops', 'update_price refused'], 'calls');
  ok(priceOf() === '52.00', 'the price stays');
});

await test('no request broke a contract', () => w.noViolations());
await end();
