// A product that TikTok has already: only what differs is sent, prices and stock by their own calls, nothing is deleted.
import { CLIENT, Stack, end, ok, same, test, until } from './lib.mjs';

const s = await Stack.start({ sandboxArgs: ['--products', '3', '--audit-ms', '300'] });
await s.client();
await s.connect();
const run = await s.run('products', {});
same(run.status, 'succeeded', 'first run');

const show = (id) => s.must('GET', `/v1/clients/${CLIENT}/products/${id}`);
const first = await until('the products are live', async () => {
  const { items } = await s.must('GET', `/v1/clients/${CLIENT}/products`);
  return items.every((p) => p.status === 'live') && items[0];
});
const id = first.source_id;
const sku = first.skus[0];
const WRITES = ['create_product', 'edit_product', 'partial_edit_product', 'update_price', 'update_inventory'];
const writes = () => Object.fromEntries(WRITES.map((w) => [w, s.calls(w).length]));
const publish = () => s.must('POST', `/v1/clients/${CLIENT}/products/${id}/publish`, {});
const jobsDone = () => until('the job is done', async () =>
  s.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'").trim() === '0');

await test('nothing differs: nothing is sent', async () => {
  const before = writes();
  await publish();
  await jobsDone();
  same(JSON.stringify(writes()), JSON.stringify(before), 'writes');
});

await test('price and stock go by their own calls', async () => {
  const before = writes();
  await s.adminMust('POST', `/skus/${sku.seller_sku}`, { price: '77.70', stock: 3 });
  await publish();
  await until('both are published', async () => {
    const now = (await show(id)).skus.find((x) => x.seller_sku === sku.seller_sku);
    return now.price.published === '77.70' && now.stock.published === 3;
  });
  const after = writes();
  same(after.update_price, before.update_price + 1, 'update_price');
  same(after.update_inventory, before.update_inventory + 1, 'update_inventory');
  same(after.edit_product + after.partial_edit_product, before.edit_product + before.partial_edit_product, 'edits');
  const body = JSON.parse(s.calls('update_price').at(-1).body);
  same(body.skus.length, 1, 'only the SKU that changed');
});

await test('a new title is a partial edit with the title alone', async () => {
  s.sql(`UPDATE products SET desired = jsonb_set(desired, '{title}', '"Outro nome"') WHERE source_id = '${id}'`);
  await publish();
  await until('the edit was sent', () => s.calls('partial_edit_product').length === 1);
  await jobsDone();
  same(String(s.calls('partial_edit_product').at(-1).body), '{"title":"Outro nome"}', 'body');
});

await test('a variant that left the feed stays listed with stock 0', async () => {
  s.sql(`UPDATE products SET desired = jsonb_set(desired, '{items}', (desired->'items') - 0) WHERE source_id = '${id}'`);
  const before = writes();
  await publish();
  await until('stock 0 is published', async () => (await show(id)).skus.find((x) => x.seller_sku === sku.seller_sku)?.stock.published === 0);
  await jobsDone();
  same(writes().edit_product, before.edit_product, 'whole edits');
  for (const call of s.calls('partial_edit_product')) {
    const { skus } = JSON.parse(call.body);
    ok(!skus || skus.some((x) => x.id === sku.tiktok_sku_id), 'no edit deletes the variant');
  }
});

await test('every exchange keeps to the contracts', () => s.noViolations());
await s.connector.stop();
await end();
