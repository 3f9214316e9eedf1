// Cancellations both ways against strict platforms: what ends on one side ends on the other, once, and nothing goes back
// to where it came from. Buyers' requests are answered by policy or by a person before their deadline.
import { end, ok, same, test, until } from './lib.mjs';
import { OrderWorld } from '../strict/orders_world.mjs';
import { REJECT_REASONS } from '../strict/orders_aftersale.mjs';

const w = await OrderWorld.start();
const m = await w.merchant('cancela', 'CNC', 3);
const after = w.tiktok.aftersales;
const problem = (o, code) => o.problems.some((p) => p.code === code);
const events = (o) => o.timeline.map((t) => t.event);
const list = async (query = '') => (await w.must('GET', `/v1/clients/${m.name}/aftersales${query}`)).items;
const requestOf = (e, kind = 'cancellation') => until(`the ${kind} of ${e.id} is listed`, async () => (await list()).find((x) => x.order_id === e.id && x.kind === kind && x.reject_reasons.length > 0));
const hook = (e, state) => w.sql(`UPDATE tiktok_orders SET vtex_due_at = now() WHERE order_id = '${e.id}'`) || w.must('POST', `/v1/clients/${m.name}/orders/${e.id}/resync`, undefined);

await test('cancelled in TikTok: VTEX is read, asked once and confirmed', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.change(e, 'CANCELLED', { cancellation_initiator: 'BUYER', cancel_reason: 'ecom_order_to_ship_canceled_reason_created_by_mistake' });
  const o = await w.reaches(e, 'is cancelled in VTEX', (x) => x.state === 'cancelled' && x.cancellation?.state === 'vtex_done');
  same(w.placed(e).status, 'canceled');
  same(w.placed(e).cancelCalls, 1, 'cancel calls');
  same(w.placed(e).cancelBody.requestedByUser, true);
  same(o.cancellation.began_in, 'tiktok');
  same(o.problems, []);
  ok(events(o).includes('cancelled_in_vtex'), `timeline ${events(o)}`);
});

await test('cancelled in TikTok before it was placed: VTEX never hears of it', async () => {
  const e = w.create(m, { status: 'ON_HOLD' });
  await w.reaches(e, 'is on hold', (x) => x.state === 'on_hold');
  w.change(e, 'CANCELLED');
  await w.reaches(e, 'is cancelled', (x) => x.state === 'cancelled');
  same(w.placed(e), undefined);
});

await test('the answer to the cancellation is lost: VTEX is read, not asked blindly', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.vtex.plan(m.account, 'cancel', e.id, 'cut', 'cut_before');
  w.change(e, 'CANCELLED');
  await w.reaches(e, 'is cancelled in VTEX', (x) => x.cancellation?.state === 'vtex_done');
  same(w.placed(e).status, 'canceled');
});

await test('the merchant has to agree: it waits visibly; a refusal is an alert and is not asked again', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.vtex.merchant(m.account, e.id, 'handling');
  w.change(e, 'CANCELLED');
  await w.reaches(e, 'waits for the merchant', (x) => problem(x, 'vtex_cancel_requested'));
  w.vtex.deny(w.placed(e));
  await hook(e);
  const o = await w.reaches(e, 'shows the refusal', (x) => problem(x, 'vtex_cancel_denied'));
  same(o.state, 'cancelled');
  same(w.placed(e).cancelCalls, 1, 'cancel calls');
});

await test('invoiced or partly invoiced in VTEX: nothing is sent, a person is called', async () => {
  const e = w.create(m);
  const p = w.create(m);
  await w.authorized(e);
  await w.authorized(p);
  w.vtex.merchant(m.account, e.id, 'invoiced').packages = [{ type: 'Output', invoiceNumber: '1', invoiceValue: 100 }];
  w.vtex.merchant(m.account, p.id, 'handling').packages = [{ type: 'Output', invoiceNumber: '2', invoiceValue: 10 }];
  w.change(e, 'CANCELLED');
  w.change(p, 'CANCELLED');
  await w.reaches(e, 'says that it is invoiced', (x) => problem(x, 'vtex_invoiced'));
  await w.reaches(p, 'says that a part is invoiced', (x) => problem(x, 'vtex_partly_invoiced'));
  same([w.placed(e).cancelCalls, w.placed(p).cancelCalls], [undefined, undefined], 'cancel calls');
});

await test('cancelled in VTEX: TikTok is asked once, and nothing goes back to VTEX', async () => {
  const e = w.create(m);
  await w.authorized(e);
  after.lag = 1500;
  after.mayCancel.add(e.id);
  w.vtex.merchant(m.account, e.id, 'canceled');
  await hook(e);
  const o = await w.reaches(e, 'is cancelled', (x) => x.state === 'cancelled' && x.cancellation?.state === 'vtex_done');
  after.lag = 0;
  same(e.tiktok.status, 'CANCELLED');
  same(e.tiktok.cancel_reason, 'seller_cancel_reason_out_of_stock');
  same(e.tiktok.cancelCalls, 1, 'cancel calls');
  same(w.placed(e).cancelCalls, undefined, 'calls back to VTEX');
  same(o.cancellation.began_in, 'vtex');
});

await test('TikTok refuses because the parcel has left: an alert, no second try', async () => {
  const e = w.create(m);
  await w.authorized(e);
  after.mayCancel.add(e.id);
  e.tiktok.refusesCancel = true;
  w.vtex.merchant(m.account, e.id, 'canceled');
  await hook(e);
  await w.reaches(e, 'shows the refusal', (x) => problem(x, 'tiktok_cancel_refused'));
  await hook(e);
  await until('the job is done', async () => w.sql(`SELECT count(*) FROM jobs WHERE entity = '${e.id}'`) === '0');
  same(e.tiktok.cancelCalls, 1, 'cancel calls');
});

await test('a person cancels: TikTok, then VTEX', async () => {
  const e = w.create(m);
  await w.authorized(e);
  after.mayCancel.add(e.id);
  const path = `/v1/clients/${m.name}/orders/${e.id}/cancel`;
  same((await w.api('POST', path, { reason: 'x', why: 'y' })).status, 400);
  same((await w.api('POST', `/v1/clients/${m.name}/orders/123/cancel`, {})).status, 404);
  same((await w.api('POST', path, { reason: 'seller_cancel_paid_reason_address_not_deliver' })).status, 202);
  const o = await w.reaches(e, 'is cancelled on both sides', (x) => x.cancellation?.state === 'vtex_done');
  same(e.tiktok.cancel_reason, 'seller_cancel_paid_reason_address_not_deliver');
  same(o.cancellation.began_in, 'operator');
  same(w.placed(e).cancelBody.requestedByUser, false);
  same((await w.api('POST', path, {})).status, 409, 'a second time');
});

await test("a buyer's request waits for a person, with its deadline; a refusal needs one of TikTok's reasons", async () => {
  const e = w.create(m);
  await w.authorized(e);
  const r = after.request(m.seller, e.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  await w.tiktok.notify(m.seller, 11, { order_id: e.id, cancellations_role: 'BUYER', cancel_status: 'CANCELLATION_REQUEST_PENDING', cancel_id: r.id, create_time: r.doc.create_time });
  const seen = await requestOf(e);
  ok(seen.waits_for_seller && Date.parse(seen.deadline) > Date.now() + 47 * 3600e3, JSON.stringify(seen));
  same(seen.reject_reasons.map((x) => x.name), REJECT_REASONS);
  const path = `/v1/clients/${m.name}/aftersales/${r.id}/answer`;
  same((await w.api('POST', path, { decision: 'reject' })).status, 400, 'no reason');
  same((await w.api('POST', path, { decision: 'reject', reason: 'because' })).status, 400, 'no reason of TikTok');
  same((await w.api('POST', path, { decision: 'reject', reason: REJECT_REASONS[2], comment: 'Já enviado' })).status, 202);
  await until('the answer went out', async () => (await w.must('GET', `/v1/clients/${m.name}/aftersales/${r.id}`)).answer?.state === 'done');
  same(after.answers.filter(([id]) => id === r.id), [[r.id, 'reject', { reject_reason: REJECT_REASONS[2], comment: 'Já enviado' }]]);
  same((await w.api('POST', path, { decision: 'approve' })).status, 409, 'answered');
  same((await w.get(e)).json.state, 'authorized');
});

await test("approved by a person, found by poll alone: the order ends on both sides", async () => {
  const e = w.create(m);
  await w.authorized(e);
  const r = after.request(m.seller, e.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  await requestOf(e);
  await w.must('POST', `/v1/clients/${m.name}/aftersales/${r.id}/answer`, { decision: 'approve' });
  await w.reaches(e, 'is cancelled on both sides', (x) => x.cancellation?.state === 'vtex_done');
  same(w.placed(e).cancelBody.requestedByUser, true);
  same(after.answers.filter(([id]) => id === r.id).length, 1);
});

await test("VTEX cancels while a buyer's request waits: the request is approved, no second cancellation", async () => {
  const e = w.create(m);
  await w.authorized(e);
  const r = after.request(m.seller, e.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  await requestOf(e);
  w.vtex.merchant(m.account, e.id, 'canceled');
  await hook(e);
  await w.reaches(e, 'is cancelled on both sides', (x) => x.cancellation?.state === 'vtex_done');
  same(after.answers.filter(([id]) => id === r.id).map(([, word]) => word), ['approve']);
  same(e.tiktok.cancelCalls, undefined, 'seller cancellations');
});

await test('lines cancelled after placement: VTEX keeps the order and a person is called', async () => {
  const e = w.create(m, { kind: 'units' });
  await w.authorized(e);
  e.tiktok.line_items[0].display_status = 'CANCELLED';
  w.change(e, 'AWAITING_SHIPMENT', { note: 1 });
  await w.reaches(e, 'shows the missing units', (x) => problem(x, 'lines_cancelled'));
  same(w.placed(e).cancelCalls, undefined);
});

await test('returns are read, shown and answered step by step', async () => {
  const e = w.create(m);
  await w.authorized(e);
  w.change(e, 'DELIVERED');
  await w.reaches(e, 'is delivered', (x) => x.state === 'delivered');
  const r = after.request(m.seller, e.tiktok, 'RETURN_AND_REFUND', 'RETURN_OR_REFUND_REQUEST_PENDING');
  await w.tiktok.notify(m.seller, 12, { order_id: e.id, return_role: 'BUYER', return_type: 'RETURN_AND_REFUND', return_status: 'RETURN_OR_REFUND_REQUEST_PENDING', return_id: r.id, create_time: r.doc.create_time, update_time: r.doc.update_time });
  const seen = await requestOf(e, 'return');
  same([seen.type, seen.refund, seen.waits_for_seller], ['RETURN_AND_REFUND', e.tiktok.payment.total_amount, true]);
  ok((await list('?kind=return&open=true')).some((x) => x.id === r.id), 'open returns');
  const path = `/v1/clients/${m.name}/aftersales/${r.id}/answer`;
  same((await w.api('POST', path, { decision: 'approve' })).status, 400, 'no word of a return');
  same((await w.api('POST', path, { decision: 'APPROVE_RETURN' })).status, 202);
  await until('the buyer is asked to send', async () => (await w.must('GET', `/v1/clients/${m.name}/aftersales/${r.id}`)).status === 'AWAITING_BUYER_SHIP');
  after.move(r, 'BUYER_SHIPPED_ITEM', 'SELLER_RESPOND_RECEIVE_PACKAGE');
  r.doc.return_tracking_number = 'BR123';
  await until('the parcel is on its way', async () => (await w.must('GET', `/v1/clients/${m.name}/aftersales/${r.id}`)).tracking_number === 'BR123');
  same((await w.api('POST', path, { decision: 'APPROVE_RECEIVED_PACKAGE' })).status, 202);
  await until('the refund is on its way', async () => (await w.must('GET', `/v1/clients/${m.name}/aftersales/${r.id}`)).status === 'RETURN_OR_REFUND_REQUEST_SUCCESS');
  same(after.answers.filter(([id]) => id === r.id).map(([, , b]) => b.decision), ['APPROVE_RETURN', 'APPROVE_RECEIVED_PACKAGE']);
});

await test('deadlines: what is lost first stands first, and goes when it is met', async () => {
  const at = Math.floor(Date.now() / 1000);
  const late = w.create(m, { change: (o) => { o.rts_sla_time = at - 60; o.tts_sla_time = at + 600; } });
  const soon = w.create(m, { change: (o) => { o.rts_sla_time = at + 300; o.tts_sla_time = at + 86400; } });
  for (const e of [late, soon]) await w.authorized(e);
  const mine = async () => (await w.must('GET', `/v1/clients/${m.name}/deadlines?limit=100`)).items.filter((x) => [late.id, soon.id].includes(x.order_id)).map((x) => `${x.order_id === late.id ? 'late' : 'soon'} ${x.name} ${x.overdue}`);
  same(await mine(), ['late arrange_shipment true', 'soon arrange_shipment false', 'late hand_over false', 'soon hand_over false']);
  const r = after.request(m.seller, soon.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  r.doc.seller_next_action_response[0].deadline = at + 200;
  await until('the answer is due', async () => (await mine())[1] === 'soon answer_cancellation false');
  w.change(late, 'AWAITING_COLLECTION');
  await until('what is met goes', async () => JSON.stringify((await mine()).filter((x) => x.startsWith('late'))) === '["late hand_over false"]');
});

await test('by policy: approve unless something is invoiced, or refuse with the reason of the policy', async () => {
  const set = (cancel) => w.must('PUT', `/v1/clients/${m.name}`, { ...m.doc, policies: { ...m.doc.policies, cancel } });
  await set({ buyer_request: 'approve' });
  const [a, b, c] = [w.create(m), w.create(m), w.create(m)];
  for (const e of [a, b, c]) await w.authorized(e);
  w.vtex.merchant(m.account, b.id, 'invoiced').packages = [{ type: 'Output', invoiceNumber: '3', invoiceValue: 100 }];
  after.request(m.seller, a.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  const rb = after.request(m.seller, b.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  await w.reaches(a, 'is cancelled on both sides', (x) => x.cancellation?.state === 'vtex_done');
  same((await requestOf(b)).answer, null, 'the invoiced one waits for a person');
  same(after.status(rb), 'CANCELLATION_REQUEST_PENDING');
  await set({ buyer_request: 'reject', reject_reason: REJECT_REASONS[1] });
  const rc = after.request(m.seller, c.tiktok, 'BUYER_CANCEL', 'CANCELLATION_REQUEST_PENDING');
  await until('the refusal went out', async () => after.answers.find(([id]) => id === rc.id));
  same(after.answers.find(([id]) => id === rc.id), [rc.id, 'reject', { reject_reason: REJECT_REASONS[1] }]);
  same((await w.must('GET', `/v1/clients/${m.name}`)).policies.cancel, { buyer_request: 'reject', seller_reason: 'seller_cancel_reason_out_of_stock', reject_reason: REJECT_REASONS[1] });
});

await test('the platforms found nothing wrong', () => w.noWrongs());
await end();
