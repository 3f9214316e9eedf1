// orders_tiktok.mjs - a strict TikTok Shop, order side only: token pages, shops, order search and detail, and
// webhooks that get lost, doubled and shuffled. Written from the public contracts; shares nothing with the connector.
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import { Aftersales } from './orders_aftersale.mjs';
import { bodyProblems, listen, sleep } from './orders_common.mjs';
import { file, fulfilRoute } from './orders_fulfil.mjs';

export const APP_KEY = '6strictkey';
export const APP_SECRET = 'strict-app-secret-0123456789abcdef';
const HIDDEN_IN_LIST = ['payment_card_type', 'channel_entity_national_registry_id', 'payment_method_code', 'payment_auth_code'];
const SCOPES = ['seller.authorization.info', 'seller.shop.info', 'seller.product.basic', 'seller.product.write', 'seller.product.delete',
  'seller.order.info', 'seller.fulfillment.basic', 'seller.fulfillment.package.write', 'seller.logistics', 'seller.return_refund.basic'];
const SEARCH = '/order/202309/orders/search';
const now = () => Math.floor(Date.now() / 1000);

export class TikTok {
  constructor(verdict, rng) {
    this.verdict = verdict;
    this.rng = rng;
    this.sellers = [];
    this.unexpected = new Map();
    this.pages = new Map();
    this.calls = [];
    this.faults = [];
    this.faultRate = 0;
    this.pageLimit = 100;
    this.refreshes = [];
    this.webhookTargets = [];
    this.delivered = 0;
    this.pending = 0;
    this.aftersales = new Aftersales(this);
  }

  async start() { this.server = await listen((r) => this.handle(r)); this.url = this.server.url; return this; }
  close() { return this.server.close(); }

  seller(name) {
    const s = { name, code: `ROW_code-${name}+/=${this.rng.digits(6)}`, codeUsed: false, orders: new Map(), access: new Map(), refresh: null, older: null,
      shop: { id: `7${this.rng.digits(18)}`, name, region: 'BR', seller_type: 'LOCAL', cipher: `ROW_${this.rng.digits(6)}/+c=${name}`, code: `BRLC${this.rng.digits(6)}` } };
    this.sellers.push(s);
    return s;
  }

  wrong(text) { this.verdict.add(`TikTok: ${text}`); }

  // ---- tokens
  issue(s) {
    s.access.clear();
    const t = { access: `TTP_${randomBytes(40).toString('base64url')}`, refresh: `TTP_${randomBytes(24).toString('base64url')}` };
    s.access.set(t.access, now() + (s.life ?? 7 * 86400));
    s.older = s.refresh;
    s.refresh = t.refresh;
    return { access_token: t.access, access_token_expire_in: now() + (s.life ?? 7 * 86400), refresh_token: t.refresh, refresh_token_expire_in: now() + 365 * 86400,
      open_id: `open-${s.name}`, seller_name: s.name, seller_base_region: 'BR', user_type: 0, granted_scopes: SCOPES };
  }

  // From now on the token of this seller is refused until it is refreshed.
  expire(s) { for (const k of s.access.keys()) s.access.set(k, now() - 1); s.expiredAt = Date.now(); }

  token(r, kind) {
    const q = Object.fromEntries(r.query);
    const names = r.query.map(([k]) => k).sort().join();
    const want = kind === 'get' ? 'app_key,app_secret,auth_code,grant_type' : 'app_key,app_secret,grant_type,refresh_token';
    if (r.method !== 'GET' || names !== want) this.wrong(`token/${kind}: ${r.method} with parameters ${names}`);
    if (q.app_key !== APP_KEY || q.app_secret !== APP_SECRET) { this.wrong(`token/${kind}: key or secret wrong`); return this.no(36009004, 'app key'); }
    if (kind === 'get') {
      const s = this.sellers.find((x) => x.code === q.auth_code);
      if (q.grant_type !== 'authorized_code') { this.wrong(`grant_type ${q.grant_type}`); return this.no(36009004, 'grant'); }
      if (!s || s.codeUsed) { this.wrong('authorization code unknown or used twice'); return this.no(36004003, 'code is invalid'); }
      s.codeUsed = true;
      return this.yes(this.issue(s));
    }
    if (q.grant_type !== 'refresh_token') { this.wrong(`grant_type ${q.grant_type}`); return this.no(36009004, 'grant'); }
    // The token before the newest one works until the newest access token was seen: an answer may be lost.
    const s = this.sellers.find((x) => x.refresh === q.refresh_token || (x.older && x.older === q.refresh_token));
    if (!s) { this.wrong('an old or unknown refresh token was used'); return this.no(36004004, 'refresh token is invalid'); }
    this.refreshes.push({ seller: s.name, at: r.at });
    return this.yes(this.issue(s));
  }

  // ---- signed calls
  yes(data) { return { status: 200, body: { code: 0, message: 'Success', request_id: this.id(), data } }; }
  no(code, message, status = 200) { return { status, body: { code, message, request_id: this.id() } }; }
  id() { return `20260615${randomBytes(12).toString('hex').toUpperCase()}`; }

  checkCall(r, spec) {
    const q = new Map();
    for (const [k, v] of r.query) {
      if (q.has(k)) this.wrong(`${r.path}: parameter ${k} twice`);
      if (v === '') this.wrong(`${r.path}: empty parameter ${k}`);
      q.set(k, v);
    }
    for (const k of q.keys()) if (!['app_key', 'sign', 'timestamp', ...spec.query].includes(k)) this.wrong(`${r.path}: unknown parameter ${k}`);
    if (q.has('shop_cipher') && !spec.query.includes('shop_cipher')) return { error: this.no(36009004, 'unexpected identifier') };
    const sorted = [...q].filter(([k]) => k !== 'sign' && k !== 'access_token').sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
    const text = Buffer.concat([Buffer.from(APP_SECRET + r.path + sorted.map(([k, v]) => k + v).join('')), r.body, Buffer.from(APP_SECRET)]);
    const sign = createHmac('sha256', APP_SECRET).update(text).digest('hex');
    if (q.get('sign') !== sign) { this.wrong(`${r.path}: wrong signature`); return { error: this.no(106001, 'sign', 401) }; }
    if (q.get('app_key') !== APP_KEY) { this.wrong(`${r.path}: app_key`); return { error: this.no(36009004, 'app_key') }; }
    const t = Number(q.get('timestamp'));
    if (!/^\d{10}$/.test(q.get('timestamp') ?? '') || t < now() - 300 || t > now() + 30) { this.wrong(`${r.path}: timestamp ${q.get('timestamp')}`); return { error: this.no(36009004, 'timestamp') }; }
    if (r.headers['content-type'] !== 'application/json') this.wrong(`${r.path}: content-type ${r.headers['content-type']}`);
    const token = r.headers['x-tts-access-token'];
    const s = this.sellers.find((x) => x.access.has(token));
    if (!s) return { error: this.no(105002, 'access token is expired or unknown', 401) };
    if (s.access.get(token) <= now()) return { error: this.no(105002, 'access token is expired', 401) };
    s.older = null;
    if (spec.query.includes('shop_cipher')) {
      if (!q.has('shop_cipher')) { this.wrong(`${r.path}: no shop_cipher`); return { error: this.no(106013, 'shop_cipher is required') }; }
      if (q.get('shop_cipher') !== s.shop.cipher) { this.wrong(`${r.path}: cipher of another shop`); return { error: this.no(101000, 'cipher') }; }
    }
    return { s, q };
  }

  handle(r) {
    if (r.path === '/api/v2/token/get') return this.token(r, 'get');
    if (r.path === '/api/v2/token/refresh') return this.token(r, 'refresh');
    const routes = {
      'GET /authorization/202309/shops': { query: [], run: (s) => this.yes({ shops: [s.shop] }) },
      [`POST ${SEARCH}`]: { query: ['shop_cipher', 'page_size', 'sort_order', 'page_token', 'sort_field'], run: (s, q, x) => this.search(s, q, x) },
      'GET /order/202507/orders': { query: ['shop_cipher', 'ids'], run: (s, q) => this.detail(s, q) },
      'GET /event/202309/webhooks': { query: ['shop_cipher'], run: (s) => this.yes({ webhooks: [...(s.webhooks ?? new Map())].map(([event_type, address]) => ({ event_type, address, create_time: now(), update_time: now() })), total_count: s.webhooks?.size ?? 0 }) },
      'PUT /event/202309/webhooks': { query: ['shop_cipher'], run: (s, q, x) => this.webhook(s, x, 'put') },
      'DELETE /event/202309/webhooks': { query: ['shop_cipher'], run: (s, q, x) => this.webhook(s, x, 'delete') },
      'GET /order/202309/orders': { query: ['shop_cipher', 'ids'], run: (s, q) => this.detail(s, q, HIDDEN_IN_LIST) },
    };
    const document = file(this, r);
    if (document) return document;
    const spec = routes[`${r.method} ${r.path}`] ?? fulfilRoute(this, r) ?? this.aftersales.route(r);
    this.calls.push({ at: r.at, path: r.path });
    if (!spec) {
      const k = `${r.method} ${r.path.replace(/\d{6,}/g, 'N')}`;
      this.unexpected.set(k, (this.unexpected.get(k) ?? 0) + 1);
      return this.no(36009009, 'path is not simulated here', 404);
    }
    const bad = this.badAnswer(r);
    if (bad === 'never_arrives') return { how: 'cut' };
    const c = this.checkCall(r, spec);
    if (c.error) return c.error;
    if (bad?.refused) return bad();
    const good = spec.run(c.s, c.q, r);
    return bad ? bad(good) : good;
  }

  badAnswer(r) {
    const planned = this.faults.findIndex((f) => r.path.includes(f.path));
    let kind;
    if (planned >= 0) kind = this.faults.splice(planned, 1)[0].kind;
    else if (this.rng.is(this.faultRate)) kind = this.rng.pick(['429', '503', 'internal', 'cut', 'half', 'html', 'retry_text', 'empty']);
    if (kind === 'cut_before') return 'never_arrives';
    const refused = (answer) => Object.assign(answer, { refused: true }); // nothing was done
    return { 429: refused(() => this.no(36009002, 'too many requests', 429)), 503: refused(() => ({ status: 503, body: '<html>overload</html>' })), internal: refused(() => this.no(36009003, 'Internal error')),
      cut: (g) => ({ ...g, how: 'cut' }), half: (g) => ({ ...g, how: 'half' }), html: () => ({ status: 200, body: '<html>hello</html>' }),
      retry_text: () => this.no(36009007, 'timeout'), empty: () => ({ status: 200, body: '' }), permission: () => this.no(105005, 'scope missing') }[kind];
  }

  search(s, q, r) {
    for (const p of bodyProblems('tiktok', 'post', SEARCH, r.json ?? {})) this.wrong(`order search body: ${p}`);
    const size = Number(q.get('page_size'));
    if (!/^\d+$/.test(q.get('page_size') ?? '') || size < 1 || size > 100) { this.wrong(`page_size ${q.get('page_size')}`); return this.no(36009004, 'page_size'); }
    const field = q.get('sort_field') ?? 'create_time';
    const order = q.get('sort_order') ?? 'DESC';
    if (!['create_time', 'update_time'].includes(field) || !['ASC', 'DESC'].includes(order)) this.wrong(`sort ${field} ${order}`);
    const shape = JSON.stringify([s.name, size, field, order, r.body.toString('utf8')]);
    let list;
    let from = 0;
    if (q.has('page_token')) {
      const page = this.pages.get(q.get('page_token'));
      if (!page) { this.wrong(`page_token not given by us: ${q.get('page_token')}`); return this.no(36009004, 'page_token'); }
      if (page.shape !== shape) { this.wrong('parameters or body changed between pages'); return this.no(36009004, 'page_token'); }
      ({ list, from } = page);
    } else {
      const b = r.json ?? {};
      list = [...s.orders.values()].filter((o) => (b.update_time_ge === undefined || o.update_time >= b.update_time_ge) && (b.update_time_lt === undefined || o.update_time < b.update_time_lt) &&
        (b.create_time_ge === undefined || o.create_time >= b.create_time_ge) && (b.create_time_lt === undefined || o.create_time < b.create_time_lt) &&
        (b.order_status === undefined || o.status === b.order_status));
      list.sort((x, y) => (order === 'ASC' ? x[field] - y[field] : y[field] - x[field]));
      list = list.map((o) => o.id);
    }
    const take = Math.min(size, this.pageLimit);
    const orders = list.slice(from, from + take).map((id) => this.shown(s.orders.get(id), HIDDEN_IN_LIST));
    let next = '';
    if (from + take < list.length) {
      next = `${randomBytes(9).toString('base64')}/+${randomBytes(4).toString('base64')}`;
      this.pages.set(next, { list, from: from + take, shape });
    }
    return this.yes({ next_page_token: next, total_count: list.length, orders });
  }

  detail(s, q, hidden = []) {
    const ids = (q.get('ids') ?? '').split(',');
    if (!q.get('ids') || ids.length > 50 || ids.some((i) => !/^\d+$/.test(i))) { this.wrong(`order ids ${q.get('ids')}`); return this.no(36009004, 'ids'); }
    const orders = ids.map((i) => s.orders.get(i)).filter(Boolean);
    if (orders.length === 0) return this.no(21008111, 'The order or package does not belong to the current seller.');
    return this.yes({ orders: orders.map((o) => this.shown(o, hidden)) });
  }

  shown(o, hidden) {
    const copy = JSON.parse(JSON.stringify(o));
    for (const k of hidden) delete copy[k];
    if (['UNPAID', 'ON_HOLD'].includes(o.status)) delete copy.recipient_address;
    if (o.status === 'UNPAID') delete copy.paid_time;
    return copy;
  }

  webhook(s, r, method) {
    for (const p of bodyProblems('tiktok', method, '/event/202309/webhooks', r.json ?? {})) this.wrong(`webhook body: ${p}`);
    s.webhooks ??= new Map();
    if (s.webhooks.get(r.json.event_type)?.includes('outro') && !s.mayReplace) this.wrong(`${method} of another system's webhook`);
    if (method === 'put') s.webhooks.set(r.json.event_type, r.json.address); else s.webhooks.delete(r.json.event_type);
    return this.yes({});
  }

  // ---- changes and webhooks
  put(s, order) { order.update_time = now(); s.orders.set(order.id, order); order.seller = undefined; return order; }

  set(s, id, status, changes = {}) {
    const o = s.orders.get(id);
    Object.assign(o, changes, { status, update_time: Math.max(now(), o.update_time) });
    if (status !== 'UNPAID' && o.paid_time === undefined) o.paid_time = now();
    return o;
  }

  // One delivery as TikTok does it; ids sometimes travel as numbers. Answers the HTTP status or null.
  async deliver(s, o, { status = o.status, type = 1, id = `73${this.rng.digits(17)}`, age = 0, numbers = false } = {}) {
    const q = (v) => (numbers ? v : JSON.stringify(v));
    const at = now() - age;
    const named = status === 'CANCELLED' ? 'CANCEL' : status;
    const raw = `{"type":${type},"tts_notification_id":${q(id)},"shop_id":${q(s.shop.id)},"timestamp":${at},"data":{"order_id":${q(o.id)},"order_status":"${named}","is_on_hold_order":false,"update_time":${at}}}`;
    const sign = createHmac('sha256', APP_SECRET).update(APP_KEY + raw).digest('hex');
    for (let i = 0; i < 4; i++) {
      const target = this.rng.pick(this.webhookTargets);
      const seen = await post(`${target}/tiktok/webhook`, raw, { authorization: sign, 'content-type': 'application/json' });
      if (seen && (seen.status === 200 || seen.status === 401) && seen.body.length) this.wrong(`webhook answered ${seen.status} with a body`);
      if (seen && ![200, 503].includes(seen.status)) this.wrong(`webhook answered ${seen.status}`);
      if (seen?.status === 200) { this.delivered++; return 200; }
      if (seen === null && this.calm) this.wrong('a webhook got no answer in 3 s');
      await sleep(400 + this.rng.below(800));
    }
    return null;
  }

  // One notification of any type; data as it is.
  async notify(s, type, data, { id = `73${this.rng.digits(17)}`, at = now() } = {}) {
    const raw = JSON.stringify({ type, tts_notification_id: id, shop_id: s.shop.id, timestamp: at, data });
    const sign = createHmac('sha256', APP_SECRET).update(APP_KEY + raw).digest('hex');
    const seen = await post(`${this.rng.pick(this.webhookTargets)}/tiktok/webhook`, raw, { authorization: sign, 'content-type': 'application/json' });
    if (seen?.status !== 200) this.wrong(`webhook ${type} answered ${seen?.status}`);
    return seen?.status;
  }

  // Tells the connector about a change with bad luck: lost, late, doubled, out of order.
  tell(s, o, { lost = 0.3, doubled = 0.2, late = 2500 } = {}) {
    const status = o.status;
    if (this.rng.is(lost)) return;
    const id = `73${this.rng.digits(17)}`;
    const numbers = this.rng.is(0.3) && o.id.length < 40;
    for (let i = this.rng.is(doubled) ? 2 : 1; i > 0; i--) {
      this.pending++;
      sleep(this.rng.below(late)).then(() => this.deliver(s, o, { status, id, numbers })).finally(() => { this.pending--; });
    }
  }
}

function post(url, body, headers) {
  return new Promise((done) => {
    const u = new URL(url);
    const req = http.request({ host: u.hostname, port: u.port, path: u.pathname, method: 'POST', timeout: 3000, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('error', () => done(null));
      res.on('end', () => done({ status: res.statusCode, body: Buffer.concat(chunks) }));
    });
    req.on('timeout', () => req.destroy());
    req.on('error', () => done(null));
    req.end(body);
  });
}
