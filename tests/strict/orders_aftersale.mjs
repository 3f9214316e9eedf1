// orders_aftersale.mjs - the strict TikTok Shop's cancellations and returns: the seller's own, buyers' requests with
// their deadline, answers, and what is refused. Written from the public contract; shares nothing with the connector.
import { bodyProblems } from './orders_common.mjs';

const BASE = '/return_refund/202309';
const now = () => Math.floor(Date.now() / 1000);
export const SELLER_REASONS = ['seller_cancel_reason_out_of_stock', 'seller_cancel_paid_reason_buyer_requested_cancellation', 'seller_cancel_paid_reason_address_not_deliver'];
export const REJECT_REASONS = ['seller_reject_apply_product_has_been_packed', 'reverse_reject_request_reason_5', 'seller_reject_apply_unable_to_change_address'];
const RETURN_DECISIONS = { approve: ['APPROVE_REFUND', 'APPROVE_RETURN', 'APPROVE_RECEIVED_PACKAGE', 'APPROVE_REPLACEMENT', 'ISSUE_REPLACEMENT_REFUND', 'OFFER_PARTIAL_REFUND'],
  reject: ['REJECT_REFUND', 'REJECT_RETURN', 'REJECT_RECEIVED_PACKAGE', 'REJECT_REPLACEMENT'] };

export class Aftersales {
  constructor(tiktok) {
    this.t = tiktok;
    this.list = new Map(); // id -> record, of all sellers
    this.mayCancel = new Set(); // orders that the connector has a reason to cancel
    this.keys = new Map(); // idempotency key -> answer
    this.answers = []; // every answer that was taken: [id, path's last word, body]
    this.lag = 0; // ms until the order shows what was taken
  }

  id() { return `40${this.t.rng.digits(17)}`; }

  // A buyer's request; type BUYER_CANCEL, REFUND, RETURN_AND_REFUND or REPLACEMENT.
  request(s, order, type, status, more = {}) {
    const cancels = type === 'BUYER_CANCEL';
    const id = this.id();
    const record = { seller: s, cancels, id, doc: { order_id: order.id, [cancels ? 'cancel_id' : 'return_id']: id, [cancels ? 'cancel_type' : 'return_type']: type, [cancels ? 'cancel_status' : 'return_status']: status,
      role: 'BUYER', [cancels ? 'cancel_reason' : 'return_reason']: cancels ? 'ecom_order_to_ship_canceled_reason_created_by_mistake' : 'ecom_order_delivered_refund_and_return_reason_wrong_product',
      [cancels ? 'cancel_reason_text' : 'return_reason_text']: 'Comprei por engano', create_time: now(), update_time: now(), refund_amount: { currency: 'BRL', refund_total: order.payment.total_amount },
      seller_next_action_response: [{ action: cancels ? 'SELLER_RESPOND_CANCEL' : 'SELLER_RESPOND_RETURN', deadline: now() + 48 * 3600 }],
      [cancels ? 'cancel_line_items' : 'return_line_items']: order.line_items.map((l) => ({ order_line_item_id: l.id, sku_id: l.sku_id, seller_sku: l.seller_sku, refund_amount: { currency: 'BRL', refund_total: l.sale_price } })), ...more } };
    this.list.set(id, record);
    if (cancels) { order.is_buyer_request_cancel = true; order.request_cancel_time = now(); }
    order.update_time = Math.max(now(), order.update_time);
    return record;
  }

  status(r) { return r.doc[r.cancels ? 'cancel_status' : 'return_status']; }
  move(r, status, action) {
    r.doc[r.cancels ? 'cancel_status' : 'return_status'] = status;
    r.doc.update_time = Math.max(now(), r.doc.update_time);
    r.doc.seller_next_action_response = action ? [{ action, deadline: now() + 48 * 3600 }] : [];
  }

  route(r) {
    const list = [
      [`POST ${BASE}/cancellations`, ['shop_cipher'], (s, q, m) => this.cancel(s, r), '/return_refund/202309/cancellations'],
      [`POST ${BASE}/cancellations/search`, ['shop_cipher', 'sort_field', 'sort_order', 'page_size', 'page_token'], (s, q) => this.search(s, q, r, true), `${BASE}/cancellations/search`],
      [`POST ${BASE}/returns/search`, ['shop_cipher', 'sort_field', 'sort_order', 'page_size', 'page_token'], (s, q) => this.search(s, q, r, false), `${BASE}/returns/search`],
      [`GET ${BASE}/reject_reasons`, ['shop_cipher', 'return_or_cancel_id', 'locale'], (s, q) => this.reasons(s, q)],
    ];
    const found = list.find(([k]) => k === `${r.method} ${r.path}`);
    if (found) return { query: found[1], run: found[2] };
    const m = /^\/return_refund\/202309\/(cancellations|returns)\/(\d+)\/(approve|reject)$/.exec(r.path);
    if (r.method === 'POST' && m) return { query: ['shop_cipher', 'idempotency_key'], run: (s, q) => this.answer(s, q, r, m[1], m[2], m[3]) };
    return undefined;
  }

  search(s, q, r, cancels) {
    const path = `${BASE}/${cancels ? 'cancellations' : 'returns'}/search`;
    for (const p of bodyProblems('tiktok', 'post', path, r.json ?? {})) this.t.wrong(`${path} body: ${p}`);
    const size = Number(q.get('page_size') ?? 10);
    if (!(size >= (cancels ? 1 : 10) && size <= 50)) this.t.wrong(`${path} page_size ${q.get('page_size')}`);
    const b = r.json ?? {};
    const all = [...this.list.values()].filter((x) => x.seller === s && x.cancels === cancels && (!b.order_ids || b.order_ids.includes(x.doc.order_id)) &&
      (b.update_time_ge === undefined || x.doc.update_time >= b.update_time_ge)).sort((x, y) => x.doc.update_time - y.doc.update_time);
    const from = Number(q.get('page_token') ?? 0);
    const page = all.slice(from, from + size).map((x) => x.doc);
    return this.t.yes({ [cancels ? 'cancellations' : 'return_orders']: page, total_count: all.length, next_page_token: from + size < all.length ? String(from + size) : '' });
  }

  reasons(s, q) {
    const x = this.list.get(q.get('return_or_cancel_id'));
    if (!x || x.seller !== s) { this.t.wrong(`reject reasons of the unknown ${q.get('return_or_cancel_id')}`); return this.t.no(25007006, 'Order not found.'); }
    return this.t.yes({ reasons: REJECT_REASONS.map((name) => ({ name, text: name })) });
  }

  over(o) {
    const t = this.lag;
    const done = () => { o.status = 'CANCELLED'; for (const l of o.line_items) l.display_status = 'CANCELLED'; o.cancel_time = now(); o.update_time = Math.max(now(), o.update_time); };
    if (t) setTimeout(done, t); else done();
  }

  cancel(s, r) {
    for (const p of bodyProblems('tiktok', 'post', `${BASE}/cancellations`, r.json ?? {})) this.t.wrong(`cancel body: ${p}`);
    const b = r.json ?? {};
    const o = s.orders.get(b.order_id);
    if (!o) { this.t.wrong(`cancel of the unknown order ${b.order_id}`); return this.t.no(25007006, 'Order not found.'); }
    if (b.skus || b.order_line_item_ids) this.t.wrong('part cancellation is for US and UK');
    if (!this.mayCancel.has(o.id)) this.t.wrong(`cancel of ${o.id} although nobody cancelled it`);
    o.cancelCalls = (o.cancelCalls ?? 0) + 1;
    if (['CANCELLED', 'COMPLETED'].includes(o.status)) return this.t.no(25001051, 'Not allowed to return or cancel since order is completed or cancelled');
    if (o.cancelTaken) return this.t.no(25001011, 'A return request is already in process, or the order has already been cancelled.');
    if ([...this.list.values()].some((x) => x.doc.order_id === o.id && this.status(x) === 'CANCELLATION_REQUEST_PENDING')) { this.t.wrong(`cancel of ${o.id} while a buyer's request waits`); return this.t.no(25001011, 'A return request is already in process, or the order has already been cancelled.'); }
    if (['IN_TRANSIT', 'DELIVERED'].includes(o.status) || o.refusesCancel) return this.t.no(25001045, 'The order has already been shipped and we are unable to cancel shipment with the courier.');
    if (!SELLER_REASONS.includes(b.cancel_reason)) return this.t.no(25001014, 'Unknown return reason. Please ensure you are passing a valid return reason.');
    o.cancelTaken = true;
    o.cancellation_initiator = 'SELLER';
    o.cancel_reason = b.cancel_reason;
    const id = this.id();
    this.list.set(id, { seller: s, cancels: true, id, doc: { order_id: o.id, cancel_id: id, cancel_type: 'CANCEL', cancel_status: 'CANCELLATION_REQUEST_SUCCESS', role: 'SELLER', cancel_reason: b.cancel_reason, create_time: now(), update_time: now() } });
    this.over(o);
    return this.t.yes({ cancel_id: id, cancel_status: 'CANCELLATION_REQUEST_SUCCESS' });
  }

  answer(s, q, r, what, id, word) {
    const path = `${BASE}/${what}/{${what === 'returns' ? 'return_id' : 'cancel_id'}}/${word}`;
    const x = this.list.get(id);
    if (what === 'returns' || word === 'reject') for (const p of bodyProblems('tiktok', 'post', path, r.json ?? {})) this.t.wrong(`${path} body: ${p}`);
    if (!x || x.seller !== s || x.cancels !== (what === 'cancellations')) { this.t.wrong(`${word} of the unknown ${id}`); return this.t.no(25007006, 'Order not found.'); }
    const key = q.get('idempotency_key');
    if (!key) this.t.wrong(`${word} of ${id} without a key`);
    if (this.keys.has(key)) return this.keys.get(key);
    if (word === 'reject' && !REJECT_REASONS.includes(r.json?.reject_reason)) return this.t.no(25001014, 'Unknown return reason. Please ensure you are passing a valid return reason.');
    if (what === 'returns' && !RETURN_DECISIONS[word].includes(r.json?.decision)) { this.t.wrong(`${word} with ${r.json?.decision}`); return this.t.no(25020004, 'decision not match reverse type'); }
    if (!/PENDING$|BUYER_SHIPPED_ITEM/.test(this.status(x))) { this.t.wrong(`${word} of ${id}, which is ${this.status(x)}`); return this.t.no(word === 'approve' ? 25011012 : 25011011, 'reverse status cannot approve application'); }
    const o = s.orders.get(x.doc.order_id);
    if (word === 'approve' && x.cancels) { this.move(x, 'CANCELLATION_REQUEST_SUCCESS'); o.cancellation_initiator = 'BUYER'; o.cancel_reason = x.doc.cancel_reason; this.over(o); }
    else if (x.cancels) { this.move(x, 'CANCELLATION_REQUEST_CANCELLED'); o.update_time = Math.max(now(), o.update_time); }
    else if (r.json.decision === 'APPROVE_RETURN') this.move(x, 'AWAITING_BUYER_SHIP');
    else if (word === 'approve') this.move(x, 'RETURN_OR_REFUND_REQUEST_SUCCESS');
    else this.move(x, r.json.decision === 'REJECT_RECEIVED_PACKAGE' ? 'REJECT_RECEIVE_PACKAGE' : 'REFUND_OR_RETURN_REQUEST_REJECT');
    this.answers.push([id, word, r.json ?? {}]);
    const yes = this.t.yes({});
    if (key) this.keys.set(key, yes);
    return yes;
  }
}
