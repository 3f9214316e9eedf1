// Two replicas on one database share the shops without a double call; a killed one is replaced.
import { CLIENT, Stack, end, ok, same, test, until } from './lib.mjs';

const s = await Stack.start({ sandboxArgs: ['--products', '24'], env: { LEASE_SECONDS: '6', ORDER_POLL_SECONDS: '5' } });
const second = await s.startConnector({}, { second: true });
await s.client();
await s.connect();

await test('two replicas publish one catalog without a double call', async () => {
  const run = await s.run('products', {});
  same(run.progress.done, run.progress.total, 'done');
  const sent = s.calls('create_product').filter((x) => JSON.parse(x.answer).code === 0).map((x) => JSON.parse(x.body).external_product_id);
  same(sent.length, new Set(sent).size, 'creates per product');
});

await test('orders placed while both run are placed once each', async () => {
  const ids = [];
  const { items } = await s.must('GET', `/v1/clients/${CLIENT}/products?status=live&limit=200`);
  const { seller_sku: sku } = items.flatMap((p) => p.skus).sort((a, b) => b.stock.published - a.stock.published)[0];
  await s.adminMust('POST', `/skus/${sku}`, { stock: 500 });
  for (let i = 0; i < 20; i++) ids.push((await s.adminMust('POST', '/orders', { items: [{ seller_sku: sku, quantity: 1 }] })).order_id);
  for (const id of ids) await s.orderState(id, 'authorized', 60000);
  const placed = s.calls('placeFulfillmentOrder').map((x) => JSON.parse(x.body)[0].marketplaceOrderId);
  same(placed.length, new Set(placed).size, 'placements per order');
});

await test('a replica killed while it holds the shop is replaced when its lease ends', async () => {
  const holder = await until('a lease is held', () => s.sql('SELECT lease_holder FROM shop_schedule WHERE lease_until > now() LIMIT 1'));
  const first = holder.includes(String(s.connector.child.pid));
  ok(first || holder.includes(String(second.child.pid)), `holder ${holder} names a process`);
  const { order_id: id } = await s.adminMust('POST', '/orders', { status: 'UNPAID' });
  if (first) {
    await s.connector.kill();
    await s.startConnector();
  } else await second.kill();
  const begin = Date.now();
  await s.adminMust('POST', `/orders/${id}/status`, { status: 'AWAITING_SHIPMENT' });
  await s.orderState(id, 'authorized', 60000);
  ok(Date.now() - begin < 60000, 'within 60 s');
});

await test('killed and started again with a long lease: under 5 s to the next order', async () => {
  const t = await Stack.start({ sandboxArgs: ['--products', '12'], env: { LEASE_SECONDS: '45', ORDER_POLL_SECONDS: '3600' } });
  await t.client();
  await t.connect();
  await t.run('products', {});
  const { order_id: one } = await t.adminMust('POST', '/orders', {});
  await t.orderState(one, 'authorized');
  await t.connector.kill();
  await t.startConnector();
  const begin = Date.now();
  const { order_id: two } = await t.adminMust('POST', '/orders', {});
  await t.orderState(two, 'authorized', 20000);
  ok(Date.now() - begin < 5500, `took ${Date.now() - begin} ms`);
  t.noViolations();
  await t.connector.stop();
});
await test('every exchange kept to both contracts', () => s.noViolations());
await end();
