// orders_vtex.mjs - strict VTEX accounts, order side: SKU context, simulation, placement, authorization, OMS. Every
// placement is compared, field by field, with what the TikTok order says; a call that came too early is written down.
import { bodyProblems, listen } from './orders_common.mjs';
import { vtexTracking } from './orders_fulfil.mjs';

const PLACE = '/api/fulfillment/pvt/orders';
const UF = ['AC', 'AL', 'AP', 'AM', 'BA', 'CE', 'DF', 'ES', 'GO', 'MA', 'MT', 'MS', 'MG', 'PA', 'PB', 'PR', 'PE', 'PI', 'RJ', 'RN', 'RS', 'RO', 'RR', 'SC', 'SP', 'SE', 'TO'];
const digits = (t) => String(t ?? '').replace(/\D/g, '');
const sum = (list, f) => list.reduce((n, x) => n + f(x), 0);
export const SKUS = [1201, 1202, 2205, 3301, 3302, 4400];

export class Vtex {
  constructor(verdict, rng, settleMs) {
    Object.assign(this, { verdict, rng, settleMs, accounts: new Map(), expected: new Map(), byPostal: new Map(), unexpected: new Map(), calls: [], faultRate: 0, settled: true });
  }

  async start() { this.server = await listen((r) => this.handle(r)); this.url = this.server.url; return this; }
  close() { return this.server.close(); }
  wrong(text) { this.verdict.add(`VTEX: ${text}`); }

  account(name, affiliate, sc, options = {}) {
    const a = { name, affiliate, sc: String(sc), key: `vtexappkey-${name}-ABCDEF`, token: `token-of-${name}`, orders: new Map(), attempts: new Map(), reads: new Map(), plans: new Map(),
      stock: new Map(SKUS.map((k) => [String(k), 100000])), calls: [], ...options };
    this.accounts.set(name, a);
    return a;
  }

  // What the order of this TikTok id must look like when it arrives here; see orders_shapes.mjs.
  expect(account, e) { this.expected.set(`${account.name}/${e.id}`, e); if (e.postal) this.byPostal.set(e.postal, e); }

  // The next answers of one order at one operation: list of kinds (see act) or {code, status, header}.
  plan(account, op, id, ...answers) { account.plans.set(`${op}/${id}`, answers); }

  handle(r) {
    const parts = r.path.split('/');
    const pricing = parts[1] === 'vtexpricing';
    const account = this.accounts.get(parts[2]);
    if (!['vtex', 'vtexpricing'].includes(parts[1]) || !account) { this.wrong(`unknown account or path ${r.path}`); return this.error(404, 'OMS001', 'not found'); }
    const path = `/${parts.slice(3).join('/')}`;
    const q = new Map();
    for (const [k, v] of r.query) { if (q.has(k)) this.wrong(`${path}: parameter ${k} twice`); q.set(k, v); }
    account.calls.push({ at: r.at, method: r.method, path });
    this.calls.push({ at: r.at, account: account.name, path, method: r.method });
    if (account.closed && !(account.closedFor && r.at > account.closed + account.closedFor)) account.afterClose = (account.afterClose ?? 0) + 1;
    if (r.headers['x-vtex-api-appkey'] !== account.key || r.headers['x-vtex-api-apptoken'] !== account.token) { this.wrong(`${path}: credentials`); return this.error(401, 'CHK003', 'Acesso não autorizado'); }
    if (!String(r.headers.accept ?? '').includes('application/json')) this.wrong(`${path}: Accept is ${r.headers.accept}`);
    if (r.body.length && !/^application\/json(; ?charset=utf-8)?$/i.test(r.headers['content-type'] ?? '')) this.wrong(`${path}: content-type ${r.headers['content-type']}`);
    if (r.body.length && r.json === undefined) this.wrong(`${path}: body is not JSON`);
    const c = { r, q, account, path, json: r.json };
    let m;
    if (!pricing && r.method === 'POST' && path === PLACE) return this.place(c);
    if (!pricing && r.method === 'POST' && path === '/api/checkout/pub/orderForms/simulation') return this.simulate(c);
    if (!pricing && r.method === 'POST' && (m = /^\/api\/fulfillment\/pvt\/orders\/([^/]+)\/fulfill$/.exec(path))) return this.authorize(c, decodeURIComponent(m[1]));
    if (!pricing && r.method === 'GET' && (m = /^\/api\/oms\/pvt\/orders\/([^/]+)$/.exec(path))) return this.read(c, decodeURIComponent(m[1]));
    if (!pricing && r.method === 'POST' && (m = /^\/api\/oms\/pvt\/orders\/([^/]+)\/cancel$/.exec(path))) return this.cancel(c, decodeURIComponent(m[1]));
    if (!pricing && path === '/api/orders/hook/config') return this.hookConfig(c, r.method);
    if (!pricing && r.method === 'GET' && (m = /^\/api\/catalog_system\/pvt\/sku\/stockkeepingunitbyid\/([^/]+)$/.exec(path))) return this.sku(c, m[1]);
    if (!pricing && r.method === 'GET' && (m = /^\/api\/catalog_system\/pvt\/sku\/stockkeepingunitidbyrefid\//.exec(path))) return this.error(404, '1', 'SKU not found');
    const tracking = vtexTracking(this, c);
    if (tracking) return tracking;
    const k = `${r.method} ${path}`;
    this.unexpected.set(k, (this.unexpected.get(k) ?? 0) + 1);
    return this.error(404, '1', 'not simulated');
  }

  // VTEX errors come in several dresses.
  error(status, code, message, dress = 'body') {
    if (dress === 'header') return { status, headers: { 'x-vtex-error-code': code, 'x-vtex-error-message': encodeURIComponent(message) }, body: '<html><body>Bad Request</body></html>' };
    if (dress === 'header_empty') return { status, headers: { 'x-vtex-error-code': code, 'x-vtex-error-message': encodeURIComponent(message) } };
    if (dress === 'encoded') return { status, body: { error: { code, message: encodeURIComponent(message), exception: null } }, headers: { 'x-vtex-error-code': code } };
    if (dress === 'message') return { status, headers: { 'x-vtex-error-code': code }, body: { Message: message } };
    return { status, body: { error: { code, message, exception: null }, operationId: null } };
  }
  dress() { return this.rng.pick(['body', 'header', 'header_empty', 'encoded', 'message']); }

  // What happens to this call beside its right answer: undefined, or { kind }.
  luck(c, op, id, kinds) {
    const plan = c.account.plans.get(`${op}/${id}`);
    if (plan?.length) return plan.shift();
    if (plan || !this.rng.is(c.account.faultRate ?? this.faultRate)) return undefined;
    return this.rng.pick(kinds);
  }

  // Applies a kind of trouble to the answer `good()` would give. The call is carried out unless the kind says no.
  act(kind, good) {
    switch (kind) {
      case undefined: return good();
      case '429': return { ...this.error(429, '1', 'Too Many Requests'), headers: { 'retry-after': '1' } };
      case '429_bare': return this.error(429, '1', 'Too Many Requests');
      case '500': return { status: 500, body: '<html>Internal Server Error</html>' };
      case '503': return { status: 503, body: '' };
      case '502_done': good(); return { status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' };
      case 'cut_before': return { how: 'cut' };
      case 'cut': good(); return { how: 'cut' };
      case 'half': return { ...good(), how: 'half' };
      case 'hang': good(); return { how: 'hang', ms: 2500 };
      case 'hang_long': good(); return { how: 'hang', ms: 12000 };
      case 'html_done': good(); return { status: 200, body: '<html>ok</html>' };
      case 'empty_done': good(); return { status: 200, body: '' };
      case 'redirect_done': good(); return { status: 302, headers: { location: `${this.url}/elsewhere` }, body: '' };
      case 'object': { const g = good(); if (g.status === 200 && Array.isArray(g.body)) g.body = { orderId: g.body[0].orderId, status: 'success', message: 'Order placed', orderData: {} }; return g; }
      default: return this.error(kind.status ?? 400, kind.code, kind.message ?? 'Operação não permitida', kind.dress ?? this.dress());
    }
  }

  // ---- catalog
  sku(c, id) {
    if (!/^\d+$/.test(id)) { this.wrong(`SKU id in the path must be an integer: ${id}`); return this.error(400, '1', 'The request is invalid.'); }
    if (c.q.has('sc') && c.q.get('sc') !== c.account.sc) this.wrong(`sku context with sc ${c.q.get('sc')}`);
    const kind = this.luck(c, 'sku', id, ['429', '500', 'cut', 'half']);
    if (!SKUS.includes(Number(id))) return this.act(kind, () => ({ status: 404, body: '"SKU not found."' }));
    return this.act(kind, () => ({ status: 200, body: { Id: Number(id), ProductId: 300 + (Number(id) % 7), NameComplete: `Produto ${id}`, ProductName: 'Produto', SkuName: `${id}`, IsActive: true, IsProductActive: true,
      BrandId: '2000001', BrandName: 'Aurora', SalesChannels: [1, Number(c.account.sc)], SkuSellers: [{ SellerId: '1', StockKeepingUnitId: Number(id), SellerStockKeepingUnitId: id, IsActive: true }],
      Images: [], Dimension: { height: 4, length: 30, weight: 220, width: 25 }, AlternateIds: { RefId: `REF-${id}` }, AlternateIdValues: [`REF-${id}`], KitItems: [], IsKit: false } }));
  }

  // ---- simulation
  slas(e, id, position) {
    const one = (name, price, days, deliveryChannel = 'delivery') => ({ id: name, name, deliveryChannel, price, listPrice: price, shippingEstimate: `${days}bd`, lockTTL: '10d', shippingEstimateDate: null, tax: 0,
      availableDeliveryWindows: [], deliveryWindow: null, transitTime: `${days}bd`, pickupPointId: deliveryChannel === 'delivery' ? null : '1_loja', deliveryIds: [{ courierId: '11', warehouseId: '1_1', dockId: 'doca', courierName: name, quantity: 1 }],
      pickupStoreInfo: { isPickupStore: deliveryChannel !== 'delivery', friendlyName: null, address: null, additionalInfo: null, dockId: null } });
    const pac = one('PAC', 900, 6);
    const sedex = one('SEDEX', 1890, 2);
    const pickup = one('RETIRA', 0, 1, 'pickup-in-point');
    let list = { cheap: [pac, sedex], pickup: [pickup, sedex, pac], tie: [one('LENTA', 1000, 9), one('RAPIDA', 1000, 3), one('CARA', 1001, 1)],
      common: position === 0 ? [pac, sedex] : [one('BARATA', 100, 9), sedex], none: [pickup] }[e.sla ?? 'cheap'];
    list = list.filter((x) => !e.blocked?.has(x.id));
    return list;
  }

  simulate(c) {
    for (const p of bodyProblems('vtex', 'post', '/api/checkout/pub/orderForms/simulation', c.json)) this.wrong(`simulation body: ${p}`);
    if (c.q.get('sc') !== c.account.sc || c.q.get('affiliateId') !== c.account.affiliate) this.wrong(`simulation with sc ${c.q.get('sc')} affiliateId ${c.q.get('affiliateId')}`);
    const b = c.json ?? {};
    if (!b.postalCode) return { status: 200, body: { items: [], logisticsInfo: [], totals: [], messages: [] } };
    const e = this.byPostal.get(digits(b.postalCode));
    if (!/^\d{5}-?\d{3}$/.test(b.postalCode) || !e) { this.wrong(`simulation for the postal code ${b.postalCode}`); return this.error(400, 'CHK0040', 'CEP'); }
    if (b.country !== 'BRA') this.wrong(`simulation country ${b.country}`);
    if (b.allowedOutdatedData) this.wrong('simulation allows outdated data');
    const need = new Map();
    for (const i of b.items) { if (i.seller !== '1') this.wrong(`simulation seller ${i.seller}`); need.set(i.id, (need.get(i.id) ?? 0) + i.quantity); }
    const want = new Map();
    for (const l of e.lines) want.set(l.id, (want.get(l.id) ?? 0) + l.quantity);
    if (JSON.stringify([...need].sort()) !== JSON.stringify([...want].sort())) this.wrong(`simulation of ${e.id} asks for ${JSON.stringify([...need])}, the order has ${JSON.stringify([...want])}`);
    e.simulated = c.r.at;
    const kind = this.luck(c, 'simulate', e.id, ['429', '500', '503', 'cut', 'half', 'html_done', 'empty_done']);
    return this.act(kind, () => this.simulation(c, b, e));
  }

  simulation(c, b, e) {
    const items = [];
    const logisticsInfo = [];
    const messages = [];
    const ids = [...new Set(b.items.map((i) => i.id))];
    const order = b.items.map((_, i) => i);
    if (this.rng.is(0.4)) order.reverse();
    for (const i of order) {
      const x = b.items[i];
      const stock = e.stock?.get(x.id) ?? c.account.stock.get(x.id) ?? 0;
      if (e.missing === x.id) { messages.push({ code: 'unavailableItemFulfillment', text: 'O item não está disponível no momento', status: 'error', fields: { itemIndex: String(i) } }); continue; }
      const short = stock < x.quantity;
      const itemIndex = items.length;
      items.push({ id: x.id, requestIndex: i, quantity: x.quantity, seller: '1', sellerChain: ['1'], tax: 0, priceValidUntil: '2027-06-16T14:00:00Z', price: 6990, listPrice: 7990, rewardValue: 0, sellingPrice: 6990,
        offerings: [], priceTags: [], measurementUnit: 'un', unitMultiplier: 1, parentItemIndex: null, parentAssemblyBinding: null, availability: short ? 'withoutStock' : 'available',
        priceDefinition: { calculatedSellingPrice: 6990, total: 6990 * x.quantity, sellingPrices: [{ value: 6990, quantity: x.quantity }], reason: null } });
      logisticsInfo.push({ itemIndex, addressId: null, selectedSla: null, selectedDeliveryChannel: null, quantity: x.quantity, stockBalance: stock, shipsTo: ['BRA'], slas: short ? [] : this.slas(e, x.id, ids.indexOf(x.id)),
        deliveryChannels: [{ id: 'delivery', stockBalance: stock }] });
      if (short) messages.push({ code: 'withoutStock', text: 'sem estoque', status: 'warning', fields: { id: x.id, seller: '1' } });
    }
    if (this.rng.is(0.3)) logisticsInfo.reverse();
    return { status: 200, body: { items, logisticsInfo, totals: [], messages, country: 'BRA', postalCode: b.postalCode, pickupPoints: [], purchaseConditions: { itemPurchaseConditions: [] }, paymentData: {}, allowMultipleDeliveries: true } };
  }

  bestSla(e, order) {
    const ids = [...new Set(order.items.map((i) => i.id))];
    const per = order.items.map((i) => this.slas(e, i.id, ids.indexOf(i.id)).filter((s) => s.deliveryChannel === 'delivery'));
    const common = per[0].filter((s) => per.every((l) => l.some((x) => x.id === s.id)));
    const cost = (s) => sum(per, (l) => l.find((x) => x.id === s.id).price);
    return common.sort((x, y) => cost(x) - cost(y) || parseInt(x.shippingEstimate, 10) - parseInt(y.shippingEstimate, 10))[0];
  }

  // ---- placement
  place(c) {
    const { account, json } = c;
    for (const p of bodyProblems('vtex', 'post', PLACE, json)) this.wrong(`placement body: ${p}`);
    if (!Array.isArray(json) || json.length !== 1) { this.wrong('placement is not an array of one'); return this.error(400, 'FMT0026', 'lista vazia'); }
    const o = json[0];
    const mid = o.marketplaceOrderId;
    const e = this.expected.get(`${account.name}/${mid}`);
    if (!e) { this.wrong(`placement of an order this shop does not have: ${mid}`); return this.error(400, 'FMT015', 'id'); }
    if (c.q.get('affiliateId') !== account.affiliate || c.q.get('sc') !== account.sc) { this.wrong(`placement with sc ${c.q.get('sc')} affiliateId ${c.q.get('affiliateId')}`); return this.error(400, 'FMT0021', 'afiliado'); }
    if (c.q.size !== 2) this.wrong(`placement with parameters ${[...c.q.keys()]}`);
    const attempt = { at: c.r.at, end: Date.now(), kind: 'refused' };
    this.judgeRepeat(account, mid, c.r.at);
    const tries = account.attempts.get(mid) ?? [];
    tries.push(attempt);
    account.attempts.set(mid, tries);
    if (!e.payable(c.r.at)) this.wrong(`order ${mid} (${e.kind}, ${e.tiktok?.status}) was placed although it is not payable`);
    const twins = new Set(o.items.map((i) => i.id)).size !== o.items.length;
    // Lines that this account refuses anyway may come again after a death of the sender: nothing was made of them.
    const bad = account.refusesTwins && twins ? [] : this.compare(account, o, e);
    for (const text of bad) this.wrong(`placement of ${mid} (${e.kind}): ${text}`);
    const id = `${account.affiliate}-${mid}`;
    const created = () => {
      const old = account.orders.get(id);
      if (old) return old.status === 'canceled' ? this.error(400, 'FMT0060', 'Pedido já cancelado na VTEX, não pode ser recriado', this.dress()) : this.error(400, 'FMT009', 'Pedido duplicado', this.dress());
      attempt.kind = 'created';
      const t = Date.now();
      const order = { id, mid, body: o, status: 'order-created', at: t, visibleAt: t + (this.rng.is(0.5) ? 0 : this.rng.below(1200)), next: [], authorizations: 0 };
      const d = this.rng.below(500);
      order.next.push([t + d, this.rng.pick(['on-order-completed-ffm', 'on-order-completed', 'waiting-for-sellers-confirmation'])]);
      if (e.manual) { order.status = 'waiting-for-manual-authorization'; order.next = [[t + 9000, 'waiting-ffmt-authorization']]; }
      else order.next.push([t + d + this.rng.below(700), 'waiting-ffmt-authorization']);
      account.orders.set(id, order);
      return { status: 200, body: [{ marketplaceOrderId: mid, orderId: id, followUpEmail: 'x@ct.vtex.com.br', items: o.items.map((i) => ({ ...i, priceTable: null })), clientProfileData: o.clientProfileData, shippingData: o.shippingData, paymentData: null, customData: null }] };
    };
    if (account.refusesTwins && twins) { e.merged = true; attempt.kind = 'twins'; return this.error(400, 'ORD056', 'Itens repetidos', this.dress()); }
    const kind = this.luck(c, 'place', mid, ['429', '500', '503', '502_done', 'cut_before', 'cut', 'cut', 'half', 'hang', 'html_done', 'empty_done', 'redirect_done', 'object',
      { code: 'ORD003', status: 500 }, { code: 'FMT0051', status: 400 }, { code: 'CHK00310', status: 400 }, { code: 'FMT010', sla: true }]);
    if (kind?.sla) attempt.kind = 'sla';
    if (kind?.sla) (e.blocked ??= new Set()).add(o.shippingData.logisticsInfo[0].selectedSla);
    if (kind?.code === undefined && kind !== undefined && kind !== '429' && kind !== '429_bare') attempt.kind = ['500', '503'].includes(kind) ? 'trouble' : 'unknown';
    if (kind?.code && kind.status >= 500) attempt.kind = 'trouble';
    const answer = this.act(kind, created);
    attempt.end = Date.now() + (answer.how === 'hang' ? answer.ms : 0);
    return answer;
  }

  // Promise 2: what is in doubt is looked up twice, and after the settle time, before it goes out again.
  judgeRepeat(account, mid, at) {
    const tries = account.attempts.get(mid) ?? [];
    const last = tries.at(-1);
    if (!last) return;
    const reads = (account.reads.get(mid) ?? []).filter((t) => t > last.at);
    if (account.orders.has(`${account.affiliate}-${mid}`)) this.wrong(`order ${mid} was sent again although it exists (${at - last.at} ms after ${last.kind}, ${reads.length} reads between)`);
    else if (last.kind === 'unknown' && (reads.length < 2 || at - last.at < this.settleMs - 50)) this.wrong(`order ${mid} in doubt was sent again after ${at - last.at} ms and ${reads.length} reads`);
    else if (last.kind === 'trouble' && reads.length < 1) this.wrong(`order ${mid} was sent again after a 5xx without being read`);
    else if (!['twins', 'sla'].includes(last.kind) && at - last.at < 100) this.wrong(`order ${mid} was sent again after ${at - last.at} ms`);
  }

  compare(account, o, e) {
    const bad = [];
    const eq = (name, got, want) => { if (JSON.stringify(got) !== JSON.stringify(want)) bad.push(`${name} is ${JSON.stringify(got)}, want ${JSON.stringify(want)}`); };
    eq('marketplaceOrderGroup', o.marketplaceOrderGroup ?? o.marketplaceOrderId, e.id);
    const endpoint = String(o.marketplaceServicesEndpoint);
    if (!/^https?:\/\/[^?#\s]+[^/?#\s]$/.test(endpoint)) bad.push(`endpoint ${endpoint}`);
    if (account.endpoint && account.endpoint !== endpoint) bad.push('endpoint changed between orders');
    account.endpoint = endpoint;
    eq('isCreatedAsync', o.isCreatedAsync, true);
    eq('paymentData', o.paymentData, null);
    const li = o.shippingData.logisticsInfo;
    eq('itemIndex list', li.map((l) => l.itemIndex).sort((a, b) => a - b), o.items.map((_, i) => i));
    const freight = sum(li, (l) => l.price);
    const total = sum(o.items, (i) => i.price * i.quantity) + freight;
    eq('marketplacePaymentValue', o.marketplacePaymentValue, total);
    if (o.marketplacePaymentReferenceValue !== undefined && o.marketplacePaymentReferenceValue !== null) eq('marketplacePaymentReferenceValue', o.marketplacePaymentReferenceValue, total);
    eq('total owed', total, sum(e.lines, (l) => l.price * l.quantity) + e.freight);
    const key = (l) => `${l.id}*${l.quantity}@${l.price}`;
    if (e.merged) {
      const merged = [...new Set(e.lines.map((l) => l.id))].map((id) => {
        const same = e.lines.filter((l) => l.id === id);
        const quantity = sum(same, (l) => l.quantity);
        return { id, quantity, price: Math.floor(sum(same, (l) => l.price * l.quantity) / quantity) };
      });
      eq('merged items', o.items.map(key).sort(), merged.map(key).sort());
    } else {
      eq('items', o.items.map(key).sort(), e.lines.map(key).sort());
      eq('freight', freight, e.freight);
    }
    for (const i of o.items) { eq('seller', i.seller, '1'); if ((i.unitMultiplier ?? 1) !== 1) bad.push('unitMultiplier'); }
    const best = this.bestSla(e, o);
    for (const l of li) {
      eq('selectedSla', l.selectedSla, best?.id);
      eq('selectedDeliveryChannel', l.selectedDeliveryChannel, 'delivery');
      if (!/^[1-9]\d*(d|bd)$/.test(l.lockTTL ?? '')) bad.push(`lockTTL ${l.lockTTL}`);
      if (!/^\d+(d|bd|h|m)$/.test(l.shippingEstimate ?? '')) bad.push(`shippingEstimate ${l.shippingEstimate}`);
      if (l.addressId !== o.shippingData.address.addressId) bad.push('addressId of a line');
    }
    if (!(e.simulated > 0)) bad.push('placed without a simulation');
    const p = o.clientProfileData;
    eq('document', p.document, e.document);
    eq('documentType', p.documentType, e.documentType);
    if (e.documentType === 'cnpj') { eq('isCorporate', p.isCorporate, true); eq('corporateDocument', p.corporateDocument, e.document); if (!p.corporateName) bad.push('corporateName empty'); }
    else eq('isCorporate', p.isCorporate ?? false, false);
    eq('firstName', p.firstName, e.firstName);
    if (e.lastName !== null) eq('lastName', p.lastName, e.lastName);
    else if (![e.firstName, '.'].includes(p.lastName)) bad.push(`lastName ${p.lastName}`);
    eq('phone', p.phone, e.phone);
    if (!/^\+\d{10,15}$/.test(p.phone ?? '')) bad.push(`phone ${p.phone}`);
    if (e.email) eq('email', p.email, e.email); else if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(p.email) || !p.email.startsWith(e.id)) bad.push(`email ${p.email}`);
    for (const a of [o.shippingData.address, ...(o.shippingData.selectedAddresses ?? [])]) {
      eq('country', a.country, 'BRA');
      if (!UF.includes(a.state)) bad.push(`state ${a.state}`);
      eq('state', a.state, e.uf);
      eq('city', a.city, e.city);
      eq('postalCode', digits(a.postalCode), e.postal);
      if (!/^\d{5}-?\d{3}$/.test(a.postalCode)) bad.push(`postalCode ${a.postalCode}`);
      eq('receiverName', a.receiverName, e.receiver);
      for (const f of ['street', 'number', 'neighborhood', 'complement']) {
        const v = a[f];
        if (e.address[f] !== undefined) eq(f, v, e.address[f]);
        if (typeof v === 'string' && (v !== v.trim() || /[\u0000-\u001f\u007f]| {2}/.test(v))) bad.push(`${f} is not clean: ${JSON.stringify(v)}`);
        if (v === '') bad.push(`${f} is an empty text`);
      }
      if (e.address.streetHas && !a.street.includes(e.address.streetHas)) bad.push(`street ${a.street} lacks ${e.address.streetHas}`);
      if (!['residential', 'commercial'].includes(String(a.addressType).toLowerCase())) bad.push(`addressType ${a.addressType}`);
    }
    eq('isFob', o.shippingData.isFob ?? false, e.fob);
    const text = typeof o.openTextField === 'string' ? o.openTextField : o.openTextField?.value ?? null;
    if (e.message) { if (!text?.includes(e.message)) bad.push(`openTextField ${text?.slice(0, 80)}`); }
    if (text !== null && [...text].length > 500) bad.push(`openTextField of ${text.length} characters`);
    const apps = o.customData?.customApps ?? [];
    for (const a of apps) {
      if (a.id !== 'marketplace-integration') bad.push(`custom app ${a.id}`);
      for (const [k, v] of Object.entries(a.fields)) {
        if (!['orderIdMarketplace', 'paymentIdMarketplace', 'marketplacePaymentMethods', 'marketplacePaymentAuthorizationCodes', 'marketplacePaymentCnpjAcquirers'].includes(k)) bad.push(`custom field ${k}`);
        if (typeof v !== 'string' || v === '') bad.push(`custom field ${k} is ${JSON.stringify(v)}`);
      }
    }
    if (e.authCode && !JSON.stringify(apps).includes(e.authCode)) bad.push('payment authorization code is missing');
    // The worked example of the contract leaves the institution out for Pix.
    if (e.acquirer && e.card && !digits(apps[0]?.fields?.marketplacePaymentCnpjAcquirers).includes(e.acquirer)) bad.push('CNPJ of the payment institution is missing');
    return bad;
  }

  // ---- the order hook: one per app key; VTEX pings the address before it takes it
  async hookConfig(c, method) {
    const { account } = c;
    if (method === 'GET') { account.hookRead = (account.hookRead ?? 0) + 1; return account.hook ? { status: 200, body: account.hook } : this.rng.is(0.5) ? { status: 200, body: null } : this.error(404, '1', 'Not found'); }
    if (method === 'DELETE') { if (!account.hook) this.wrong('delete of a hook that is not there'); if (account.hook?.hook.url.includes('outro')) this.wrong('the hook of another system was deleted'); account.hook = undefined; return { status: 200, body: '' }; }
    for (const p of bodyProblems('vtex', 'post', '/api/orders/hook/config', c.json)) this.wrong(`hook body: ${p}`);
    if (!account.hookRead) this.wrong('the hook was set without reading what stands there');
    if (account.hook?.hook.url.includes('outro') && !account.mayReplace) this.wrong('the hook of another system was overwritten');
    for (const s of ['ready-for-handling', 'handling', 'invoiced', 'cancellation-requested', 'cancel', 'canceled', 'waiting-for-manual-authorization']) if (!c.json.filter.status.includes(s)) this.wrong(`the hook leaves ${s} out`);
    account.hookSets = (account.hookSets ?? 0) + 1;
    const pong = account.pingFails ? 500 : (await this.call(c.json.hook.url, c.json.hook.headers, { hookConfig: 'ping' })).status;
    if (pong !== 200) return this.error(400, '1', `ping answered ${pong}`);
    account.hook = c.json;
    return { status: 200, body: '' };
  }

  async call(url, headers, body) {
    const r = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
    return { status: r.status, text: await r.text() };
  }

  // An event of the hook as VTEX posts it.
  event(account, mid, state, last = 'handling') {
    return this.call(account.hook.hook.url, account.hook.hook.headers, { Domain: 'Fulfillment', OrderId: `${account.affiliate}-${mid}`, State: state, LastState: last, LastChange: new Date().toISOString(), CurrentChange: new Date().toISOString(), Origin: { Account: account.name, Key: account.key } });
  }

  // ---- authorization and OMS
  current(order) {
    while (order.next.length && order.next[0][0] <= Date.now()) order.status = order.next.shift()[1];
    return order.status;
  }

  find(c, id) { const o = c.account.orders.get(id); return o && o.visibleAt <= Date.now() ? o : undefined; }

  read(c, id) {
    if (c.q.size) this.wrong(`reading an order with parameters ${[...c.q.keys()]}`);
    const mid = id.startsWith(`${c.account.affiliate}-`) ? id.slice(c.account.affiliate.length + 1) : null;
    if (mid === null || !this.expected.has(`${c.account.name}/${mid}`)) this.wrong(`reading the order ${id}`);
    const kind = this.luck(c, 'read', mid, ['429', '500', '503', 'cut', 'half', 'html_done', 'empty_done']);
    if (kind === undefined) { const l = c.account.reads.get(mid) ?? []; l.push(c.r.at); c.account.reads.set(mid, l); }
    const o = this.find(c, id);
    if (o && kind === undefined) o.lastRead = this.current(o);
    return this.act(kind, () => (o ? { status: 200, body: this.document(c.account, o) } : this.error(404, 'OMS001', 'Pedido não encontrado', this.rng.pick(['body', 'header', 'message']))));
  }

  document(account, o) {
    const b = o.body;
    return { orderId: o.id, sequence: '502871', marketplaceOrderId: o.mid, marketplaceServicesEndpoint: b.marketplaceServicesEndpoint, sellerOrderId: o.id, origin: 'Fulfillment', affiliateId: account.affiliate,
      salesChannel: account.sc, merchantName: null, status: this.current(o), workflowIsInError: false, statusDescription: '', value: b.marketplacePaymentValue, creationDate: new Date(o.at).toISOString().replace('Z', '2233+00:00'),
      lastChange: new Date().toISOString(), orderGroup: null, followUpEmail: 'x@ct.vtex.com.br', hostname: account.name, isCompleted: true, allowCancellation: true,
      authorizedDate: o.authorizedAt ? new Date(o.authorizedAt).toISOString() : null, invoicedDate: null, cancelReason: o.cancelReason ?? null, cancellationData: null, cancellationRequests: o.requests ?? null,
      totals: [{ id: 'Items', name: 'Total dos Itens', value: sum(b.items, (i) => i.price * i.quantity) }, { id: 'Discounts', name: 'x', value: 0 }, { id: 'Shipping', name: 'x', value: sum(b.shippingData.logisticsInfo, (l) => l.price) }],
      items: b.items.map((i) => ({ ...i, uniqueId: `u${i.id}`, productId: '301', sellingPrice: i.price })), shippingData: { ...b.shippingData, address: { ...b.shippingData.address } }, clientProfileData: { ...b.clientProfileData, email: 'c0ffee@ct.vtex.com.br' },
      packageAttachment: { packages: o.sales ?? o.packages ?? [] }, paymentData: { transactions: [] }, customData: null, openTextField: null, sellers: [{ id: '1', name: 'x' }], marketplace: { baseURL: b.marketplaceServicesEndpoint, name: account.affiliate } };
  }

  authorize(c, id) {
    for (const p of bodyProblems('vtex', 'post', `${PLACE}/{orderId}/fulfill`, c.json)) this.wrong(`authorize body: ${p}`);
    const { account } = c;
    if (c.q.get('sc') !== account.sc || c.q.get('affiliateId') !== account.affiliate) this.wrong(`authorize with sc ${c.q.get('sc')} affiliateId ${c.q.get('affiliateId')}`);
    const o = account.orders.get(id);
    if (!o) { this.wrong(`authorize of an unknown order ${id}`); return this.error(404, 'OMS001', 'Pedido não encontrado'); }
    if (c.json?.marketplaceOrderId !== o.mid) { this.wrong(`authorize of ${id} with the body ${JSON.stringify(c.json)}`); return this.error(400, 'FMT0071', 'Identificador do marketplace difere do pedido'); }
    const status = this.current(o);
    if (status === 'waiting-for-manual-authorization') { if (o.lastRead === status) this.wrong(`authorize of ${id} while it waits for the merchant`); return this.error(409, 'OMS003', 'estado'); }
    if (['canceled', 'cancel'].includes(status)) { this.wrong(`authorize of the canceled ${id}`); return this.error(409, 'OMS003', 'estado'); }
    if (['authorize-fulfillment', 'window-to-cancel', 'ready-for-handling', 'handling'].includes(o.lastRead)) this.wrong(`authorize of ${id} although it was read as ${o.lastRead}`);
    const kind = this.luck(c, 'authorize', o.mid, ['429', '500', '503', '502_done', 'cut', 'cut_before', 'half', 'hang', 'html_done', 'empty_done', 'redirect_done', { code: 'FMT0051', status: 500 }, { code: 'FMT0084', status: 400 }]);
    if (o.doubtful && !(account.reads.get(o.mid) ?? []).some((t) => t > o.doubtful)) this.wrong(`authorize of ${id} repeated in doubt without a read`);
    o.doubtful = kind !== undefined && kind !== '429' && !kind.code ? c.r.at : undefined;
    return this.act(kind, () => {
      if (o.authorizedAt && !['waiting-ffmt-authorization', 'order-created'].includes(this.current(o)) && o.authorizations > 0 && o.next.length === 0) return this.error(409, 'OMS003', 'Pedido em outro estado', this.dress());
      o.authorizations++;
      if (!o.authorizedAt) {
        o.authorizedAt = Date.now();
        const t = Date.now() + this.rng.below(600);
        o.next = [[t, 'authorize-fulfillment'], ...(this.rng.is(0.5) ? [[t + 200, 'window-to-cancel']] : []), [t + 500, 'ready-for-handling'], ...(!account.stays && this.rng.is(0.2) ? [[t + 1200, 'handling']] : [])];
      }
      return { status: this.rng.pick([200, 201]), body: { orderId: o.id, marketplaceOrderId: o.mid, receipt: '5c54532d', date: new Date().toISOString(), items: o.body.items.map((i) => ({ id: i.id })), shippingData: null } };
    });
  }

  // Outside window-to-cancel the merchant is asked; what is invoiced stays.
  cancel(c, id) {
    for (const p of bodyProblems('vtex', 'post', '/api/oms/pvt/orders/{orderId}/cancel', c.json)) this.wrong(`cancel body: ${p}`);
    const o = account_order(c, id);
    if (!o) { this.wrong(`cancel of an unknown order ${id}`); return this.error(404, 'OMS001', 'Pedido não encontrado'); }
    const e = this.expected.get(`${c.account.name}/${o.mid}`);
    if (e.tiktok?.status !== 'CANCELLED') this.wrong(`cancel of ${id} although TikTok says ${e.tiktok?.status}`);
    if (!(c.account.reads.get(o.mid) ?? []).length) this.wrong(`cancel of ${id} without reading it`);
    if (!c.json?.reason) this.wrong(`cancel of ${id} without a reason`);
    o.cancelCalls = (o.cancelCalls ?? 0) + 1;
    o.cancelBody = c.json;
    const kind = this.luck(c, 'cancel', o.mid, ['429', '500', '503', '502_done', 'cut', 'cut_before', 'half', 'html_done', 'empty_done']);
    return this.act(kind, () => {
      const status = this.current(o);
      if (status === 'canceled' && o.merchantCancelled) this.wrong(`cancel of ${id}, which VTEX cancelled itself`);
      if (status === 'invoiced' || o.packages?.length) { if (o.lastRead === 'invoiced') this.wrong(`cancel of the invoiced ${id}`); return this.error(400, 'OMS003', 'O pedido já foi faturado', this.dress()); }
      if (!['canceled', 'cancel', 'cancellation-requested'].includes(status)) {
        if (status === 'handling' || status === 'start-handling') { o.next = []; o.status = 'cancellation-requested'; o.requests = [{ id: '1', reason: c.json.reason, cancellationRequestDate: new Date().toISOString(), requestedByUser: c.json.requestedByUser, deniedBySeller: false, deniedBySellerReason: null, cancellationRequestDenyDate: null }]; }
        else { o.next = [[Date.now() + 300, 'canceled']]; o.status = 'cancel'; }
      }
      return { status: 200, body: { date: new Date().toISOString(), orderId: id, receipt: '38e0e47da' } };
    });
  }

  // The merchant's own doings.
  merchant(account, mid, status) {
    const o = account.orders.get(`${account.affiliate}-${mid}`);
    o.next = [];
    o.status = status;
    if (status === 'canceled') o.merchantCancelled = true;
    return o;
  }
  deny(o) { o.status = 'handling'; Object.assign(o.requests[0], { deniedBySeller: true, deniedBySellerReason: 'Produto já embalado', cancellationRequestDenyDate: new Date().toISOString() }); }
}

function account_order(c, id) { return c.account.orders.get(id); }
