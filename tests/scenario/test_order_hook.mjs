// The order hook in VTEX and the webhooks of the shop: made, shown, kept and taken away; what stands there of others is not
// touched. Through every door of VTEX an order is read again, and nothing else is believed.
import { end, ok, request, same, test, until } from './lib.mjs';
import { OrderWorld } from '../strict/orders_world.mjs';

const w = await OrderWorld.start();
const m = await w.merchant('gancho', 'GNC', 3);
const path = `/v1/clients/${m.name}/order-hook`;
const door = (tail, body, secret = m.secret) => request('POST', `${w.home}/vtex/${m.name}/${secret}/${tail}`, { body: body === undefined ? undefined : JSON.stringify(body), headers: body === undefined ? {} : { 'content-type': 'application/json' } });
const shows = (what, f) => until(`the hook is ${what}`, async () => { const h = await w.must('GET', path); return f(h) && h; });

await test('without a wish nothing is set', async () => {
  same((await w.api('GET', path)).status, 404);
  same((await w.api('DELETE', path)).status, 404);
  same(m.account.hookSets, undefined);
});

await test("another system's hook stays until a person says so", async () => {
  m.account.hook = { filter: { type: 'FromWorkflow', status: ['invoiced'] }, hook: { url: 'https://outro.example/hook', headers: {} } };
  m.seller.webhooks = new Map([['ORDER_STATUS_CHANGE', 'https://outro.example/tiktok']]);
  same((await w.api('PUT', path, {}, { token: 'read-token-0123456789' })).status, 403);
  same((await w.api('PUT', path, {})).status, 202);
  const h = await shows('seen as foreign', (x) => x.vtex.state === 'foreign' && x.tiktok[0]?.checked_at);
  same(h.vtex.found_url, 'https://outro.example/hook');
  ok(h.tiktok[0].problem.includes('ORDER_STATUS_CHANGE'), JSON.stringify(h.tiktok));
  same(m.account.hookSets, undefined);
  same(m.seller.webhooks.get('CANCELLATION_STATUS_CHANGE'), `${w.home}/tiktok/webhook`);
  same(m.seller.webhooks.get('ORDER_STATUS_CHANGE'), 'https://outro.example/tiktok');
});

await test('replaced on request; the ping is answered with the secret only', async () => {
  m.account.mayReplace = m.seller.mayReplace = true;
  await w.must('PUT', path, { replace_foreign: true });
  const h = await shows('active', (x) => x.vtex.state === 'active' && x.tiktok[0].problem === null);
  ok(h.vtex.last_ping_at && h.vtex.configured_at, JSON.stringify(h.vtex));
  same(m.account.hook.hook.url, `${w.home}/vtex/${m.name}/order-hook`);
  same(m.account.hook.hook.headers['X-Hook-Secret'], m.secret);
  same(m.seller.webhooks.get('ORDER_STATUS_CHANGE'), `${w.home}/tiktok/webhook`);
  same((await w.vtex.call(m.account.hook.hook.url, {}, { hookConfig: 'ping' })).status, 401, 'no secret');
  same((await w.vtex.call(m.account.hook.hook.url, { 'X-Hook-Secret': 'wrong' }, { hookConfig: 'ping' })).status, 401, 'a wrong secret');
});

await test('looked at again: what is right stays, what VTEX dropped comes back', async () => {
  const sets = m.account.hookSets;
  const again = async () => { w.sql("UPDATE jobs SET due_at = now() WHERE kind = 'order_hook'"); w.sql("UPDATE order_hooks SET checked_at = NULL"); await w.must('PUT', path, {}); await shows('looked at', (x) => x.vtex.checked_at && x.vtex.state === 'active'); };
  await again();
  same(m.account.hookSets, sets, 'sets of a hook that is right');
  m.account.hook = undefined;
  await again();
  same(m.account.hookSets, sets + 1, 'sets after it was dropped');
});

await test('a hook event of a cancellation: TikTok is cancelled', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.tiktok.aftersales.mayCancel.add(e.id);
  w.vtex.merchant(m.account, e.id, 'canceled');
  same((await w.vtex.event(m.account, e.id, 'canceled')).status, 200);
  await w.reaches(e, 'is cancelled on both sides', (o) => o.cancellation?.state === 'vtex_done');
  same(e.tiktok.cancelCalls, 1);
  same((await w.vtex.event(m.account, '123456', 'canceled')).status, 200, 'an order that is not ours');
});

await test('the callback of a cancellation: a receipt at once, the same one again; the order is read until it shows it', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.tiktok.aftersales.mayCancel.add(e.id);
  const first = await door(`pvt/orders/${e.id}/cancel`, { reason: 'Produto com defeito' });
  same(first.status, 200, first.text);
  same(first.json.orderId, `GNC-${e.id}`);
  ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(first.json.receipt), first.text);
  same((await door(`pub/orders/${e.id}/cancel`)).json.receipt, first.json.receipt, 'without a body, by the other route');
  same(e.tiktok.status, 'AWAITING_SHIPMENT', 'VTEX does not show it yet');
  w.vtex.merchant(m.account, e.id, 'canceled');
  await w.reaches(e, 'is cancelled on both sides', (o) => o.cancellation?.state === 'vtex_done');
  same(e.tiktok.cancelCalls, 1);
});

await test('invoice and tracking: receipts, and the order is read in VTEX', async () => {
  const e = w.create(m);
  await w.authorized(e);
  const reads = () => m.account.reads.get(e.id).length;
  for (const [tail, body] of [['invoice', { type: 'Output', invoiceNumber: '7', invoiceValue: 100 }], ['invoice/7', { trackingNumber: 'BR7' }], ['invoice/7/tracking', { isDelivered: false, events: [] }], ['tracking', { trackingNumber: 'BR7' }]]) {
    const before = reads();
    const r = await door(`pvt/orders/${e.id}/${tail}`, body);
    same(r.status, 200, `${tail}: ${r.text}`);
    same((await door(`pvt/orders/${e.id}/${tail}`, body)).json.receipt, r.json.receipt, tail);
    await until(`the order is read after ${tail}`, async () => reads() > before);
  }
  same((await door(`pvt/orders/${e.id}/invoice`, {}, 'wrong-secret-0123456789')).status, 401);
  same((await door(`prv/orders/${e.id}/invoice`, {})).status, 404);
  same((await door(`pvt/orders/${e.id}/refund`, {})).status, 404);
  same((await door('pvt/orders/123/cancel', {})).status, 404);
  const events = (await w.must('GET', `/v1/clients/${m.name}/events`)).items.filter((x) => x.source === 'vtex' && x.entity === e.id);
  same(events.length, 4, 'stored calls, repeats once');
});

await test('taken away on request: ours goes, nothing else', async () => {
  m.seller.webhooks.set('PRODUCT_CREATION', 'https://outro.example/tiktok');
  m.seller.mayReplace = false;
  await w.must('DELETE', path);
  await shows('deleted', (x) => x.vtex.state === 'deleted' && x.tiktok[0].webhooks.length === 1);
  same(m.account.hook, undefined);
  same([...m.seller.webhooks], [['PRODUCT_CREATION', 'https://outro.example/tiktok']]);
});

await test('the platforms found nothing wrong', () => w.noWrongs());
await end();
