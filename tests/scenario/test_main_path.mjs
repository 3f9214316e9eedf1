// The main job end to end: a shop connects, its feed becomes products, orders become VTEX orders, once each.
import { CLIENT, Stack, end, ok, request, same, test, until } from './lib.mjs';

const s = await Stack.start({ env: { ORDER_POLL_SECONDS: '2' } });
await s.client();

await test('a shop connects through the real OAuth pages', async () => {
  const shops = await s.connect();
  const shop = shops.items[0];
  same(shop.status, 'connected', 'shop status');
  ok(Date.parse(shop.access_token_expires_at) > Date.now(), 'access token expiry is a moment in the future');
  ok(Date.parse(shop.authorization_ends_at) > Date.now(), 'end of authorization is a moment in the future');
  ok(shop.granted_scopes.length > 0, 'scopes are shown');
  const page = await request('GET', shops.follow);
  same(page.status, 200, 'following page');
  ok(/conectad/i.test(page.text) && /connected/i.test(page.text), `the page says connected: ${page.text.slice(0, 400)}`);
  same(s.calls('get_access_token').length, 1, 'code exchanges');
  const stored = s.sql("SELECT encode(access_token, 'escape') FROM tiktok_tokens");
  ok(stored.length > 0 && !stored.includes('TTP_'), 'tokens are sealed in the database');
});

let products;
await test('the feed becomes live products, and each refusal says why', async () => {
  const run = await s.run('products', {});
  ok(['succeeded', 'partial'].includes(run.status), `run ended as ${run.status}: ${JSON.stringify(run.problem)}`);
  ok(run.progress.total >= 60, `products in the feed: ${run.progress.total}`);
  same(run.progress.done, run.progress.total, 'done');
  products = await until('reviews end', async () => {
    const items = [];
    let path = `/v1/clients/${CLIENT}/products`;
    while (path) {
      const page = await s.must('GET', path);
      items.push(...page.items);
      path = page.next ? (page.next.startsWith('http') ? new URL(page.next).pathname + new URL(page.next).search : page.next.startsWith('/') ? page.next : `/v1/clients/${CLIENT}/products?cursor=${encodeURIComponent(page.next)}`) : null;
    }
    return items.every((p) => !['publishing', 'in_review'].includes(p.status)) && items;
  }, 60000);
  const live = products.filter((p) => p.status === 'live');
  const refused = products.filter((p) => p.status !== 'live');
  ok(live.length >= 55, `live: ${live.length}; others ${JSON.stringify(refused.slice(0, 5))}`);
  ok(refused.length >= 2, `planted refusals show: ${refused.length}`);
  for (const p of refused) {
    ok(p.problems.length > 0, `${p.source_id} (${p.status}) says why`);
    for (const problem of p.problems) ok(problem.code && problem.message.length > 10 && problem.message_pt.length > 10, `problem in words: ${JSON.stringify(problem)}`);
  }
  ok(live.some((p) => p.skus.length > 1), 'variants became SKUs of one product');
  for (const p of live) {
    ok(/^\d+$/.test(p.tiktok_product_id), `id ${p.tiktok_product_id}`);
    for (const sku of p.skus) {
      ok(/^\d+$/.test(sku.tiktok_sku_id), `SKU id of ${sku.seller_sku}: ${sku.tiktok_sku_id}`);
      same(sku.price.published, sku.price.desired, `price of ${sku.seller_sku}`);
      same(sku.stock.published, sku.stock.desired, `stock of ${sku.seller_sku}`);
    }
  }
});

await test('what TikTok holds equals what the connector says', async () => {
  const held = await s.heldProducts();
  const ours = products.filter((p) => p.tiktok_product_id);
  same(held.length, ours.length, 'products in TikTok');
  for (const p of held) {
    const mine = ours.find((x) => x.tiktok_product_id === (p.id ?? p.product_id));
    ok(mine, `TikTok's ${JSON.stringify(p).slice(0, 200)} is known`);
  }
  same(s.calls('create_product').filter((x) => JSON.parse(x.answer).code === 0).length, ours.length, 'products created');
});

await test('the same feed again makes no product call', async () => {
  const before = s.checker.exchanges.filter((x) => x.peer === 'tiktok' && x.method !== 'GET' && !/orders\/search/.test(x.path)).length;
  const run = await s.run('products', {});
  const after = s.checker.exchanges.filter((x) => x.peer === 'tiktok' && x.method !== 'GET' && !/orders\/search/.test(x.path)).length;
  same(after - before, 0, `writing calls (run ${JSON.stringify(run.progress)})`);
});

await test('an order webhook becomes one authorized VTEX order', async () => {
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  const order = await s.orderState(id, 'authorized');
  same(order.vtex_order_id, `TTK-${id}`, 'VTEX id');
  ok(order.timeline.length >= 3, `timeline ${JSON.stringify(order.timeline)}`);
  same(s.calls('placeFulfillmentOrder').filter((x) => x.body.toString().includes(id)).length, 1, 'placements');
  same(s.calls('authorizeDispatch').filter((x) => x.path.includes(id)).length, 1, 'authorizations');
});

await test('UNPAID and ON_HOLD are stored and not placed; they go on when paid', async () => {
  for (const status of ['UNPAID', 'ON_HOLD']) {
    const { order_id: id } = await s.adminMust('POST', '/orders', { status });
    const order = await s.orderState(id, ['received', 'on_hold']);
    same(order.tiktok_status, status, 'status');
    same(s.calls('placeFulfillmentOrder').filter((x) => x.body.toString().includes(id)).length, 0, 'placements');
    await s.adminMust('POST', `/orders/${id}/status`, { status: 'AWAITING_SHIPMENT' });
    await s.orderState(id, 'authorized');
  }
});

await test('an order whose webhooks were all lost is found by the poll', async () => {
  await s.adminMust('POST', '/faults', { where: 'webhook', operation: '*', kind: 'lost', count: 1000 });
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  const order = await s.orderState(id, 'authorized', 30000);
  ok(order.timeline.some((t) => t.by === 'poll'), `timeline names the poll: ${JSON.stringify(order.timeline)}`);
  await s.adminMust('DELETE', '/faults');
});

await test('an order with an unmapped SKU waits, is visible, and goes on when linked', async () => {
  const { order_id: id } = await s.adminMust('POST', '/orders', { items: [{ seller_sku: 'NOBODY-KNOWS-1', quantity: 1 }] });
  const order = await s.orderState(id, 'waiting_mapping');
  ok(order.problems.length > 0 && order.problems[0].message, 'says which SKU');
  const list = await s.must('GET', `/v1/clients/${CLIENT}/unlinked-skus`);
  const sku = list.items.at(-1);
  ok(sku?.tiktok_sku_id, `unlinked: ${JSON.stringify(list)}`);
  const known = products.find((p) => p.status === 'live').skus[0].vtex_sku_id;
  await s.must('PUT', `/v1/clients/${CLIENT}/unlinked-skus/${sku.tiktok_sku_id}`, { vtex_sku_id: known });
  await s.orderState(id, 'authorized');
});

await test('every exchange kept to both contracts', () => s.noViolations());
await test('SIGTERM ends it well within ten seconds', () => s.connector.stop());
await end();
