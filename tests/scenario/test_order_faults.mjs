// kill -9 at each named step of order placement, and answers lost on the way: one VTEX order each, none missing.
import { Stack, end, ok, same, sql, test, until, WORK, join } from './lib.mjs';

const s = await Stack.start({ sandboxArgs: ['--products', '24'], env: { ORDER_POLL_SECONDS: '2', LEASE_SECONDS: '5', IN_DOUBT_SETTLE_SECONDS: '2' } });
await s.client();
await s.connect();
await s.run('products', {});

async function vtexOrders(id) {
  return (await s.vtexOrders()).filter((o) => JSON.stringify(o).includes(`"TTK-${id}"`)).length;
}

for (const point of ['order_claimed', 'order_place_before', 'order_place_sent', 'order_placed', 'order_authorize_before', 'order_authorize_sent', 'order_authorized']) {
  await test(`killed at ${point}`, async () => {
    await s.connector.stop();
    const once = join(WORK, `once-${point}`);
    await s.startConnector({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    const { order_id: id } = await s.adminMust('POST', '/orders', {});
    await until('the process was killed', () => s.connector.dead, 20000);
    same(s.connector.signal, 'SIGKILL', 'signal');
    await s.startConnector({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    await s.orderState(id, 'authorized', 40000);
    const created = s.calls('placeFulfillmentOrder').filter((x) => x.body.toString().includes(id) && x.status === 200).length;
    same(created, 1, 'successful placements');
    same(await vtexOrders(id), 1, 'orders in VTEX');
  });
}

for (const [operation, kind] of [['placeFulfillmentOrder', 'cut'], ['placeFulfillmentOrder', 'cut_before'], ['placeFulfillmentOrder', '500'],
  ['placeFulfillmentOrder', 'html'], ['authorizeDispatch', 'cut'], ['authorizeDispatch', '503'], ['simulateCart', '429'], ['getOrder', '500']]) {
  await test(`${operation} answers with ${kind}`, async () => {
    await s.adminMust('POST', '/faults', { where: 'vtex', operation, kind, count: 1 });
    const { order_id: id } = await s.adminMust('POST', '/orders', {});
    await s.orderState(id, 'authorized', kind === '429' ? 90000 : 40000);
    await s.adminMust('DELETE', '/faults');
    same(await vtexOrders(id), 1, 'orders in VTEX');
  });
}

await test('duplicate, late and shuffled webhooks change nothing', async () => {
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  const shop = (await s.state()).shops[0].shop_id;
  const order = await s.orderState(id, 'authorized');
  const calls = s.calls('placeFulfillmentOrder').length;
  const now = Math.floor(Date.now() / 1000);
  const body = (status, age, nid) => ({ type: 1, tts_notification_id: nid, shop_id: String(shop), timestamp: now - age,
    data: { order_id: id, order_status: status, is_on_hold_order: false, update_time: now - age } });
  for (const [status, age, nid] of [['UNPAID', 16 * 3600, 'n1'], ['UNPAID', 16 * 3600, 'n1'], ['AWAITING_SHIPMENT', 10, 'n2'], ['UNPAID', 3600, 'n3'], ['AWAITING_SHIPMENT', 10, 'n2']])
    same((await s.webhook(body(status, age, `x${id}${nid}`))).status, 200, 'webhook');
  await until('jobs of the order ran', () => sql(s.database, `SELECT count(*) FROM jobs WHERE entity = '${id}' AND state <> 'parked' AND due_at < now() + interval '5 s'`) === '0');
  same((await s.order(id)).state, order.state, 'state');
  same(s.calls('placeFulfillmentOrder').length, calls, 'placements');
  same(s.sql(`SELECT count(*) FROM event_keys WHERE key LIKE 'x${id}%'`), '3', 'events kept once each');
});

await test('no order was placed twice in VTEX', async () => {
  const tries = new Map();
  for (const x of s.calls('placeFulfillmentOrder').filter((c) => c.status === 200 && !c.cut && c.answer.toString().includes('orderId'))) {
    const id = JSON.parse(x.body)[0].marketplaceOrderId;
    tries.set(id, (tries.get(id) ?? 0) + 1);
  }
  for (const [id, n] of tries) same(n, 1, `accepted placements of ${id}`);
  ok(tries.size > 10, `orders: ${tries.size}`);
});
await test('every exchange kept to both contracts', () => s.noViolations());
await end();
