// The example merchant has more pictures in VTEX than in its feed: sync/images brings them to the sandbox's shop.
import { CLIENT, Stack, end, ok, same, test, until } from './lib.mjs';

const s = await Stack.start();
await s.client();
await s.connect();

const live = async () => (await s.must('GET', `/v1/clients/${CLIENT}/products?status=live`)).items;

await test('pictures that only VTEX has are published beside those of the feed', async () => {
  await s.run('products');
  const product = await until('a product is live', async () => (await live()).find((p) => p.skus.length === 1));
  const skus = product.skus.map((x) => x.seller_sku);
  const held = async () => (await s.heldProducts()).find((p) => p.id === product.tiktok_product_id || p.product_id === product.tiktok_product_id);
  const before = (await held()).main_images.length;
  const run = await s.run('images', { skus });
  same([run.status, run.progress.total, run.progress.updated], ['succeeded', 1, 1], JSON.stringify(run));
  const after = await until('more pictures', async () => { const p = await held(); return p.main_images.length > before && p; });
  ok(after.main_images.length >= Math.min(9, before + 2), JSON.stringify(after.main_images));
  same(new Set(after.main_images.map((i) => i.uri)).size, after.main_images.length, 'no picture twice');
  s.noViolations();
});

await end();
