// orders_fulfil.mjs - invoices, packages, labels and tracking of the strict order simulators: what TikTok and VTEX do
// with them, and what a caller must never do. Written from the contracts; shares nothing with the connector.
import { createHash } from 'node:crypto';
import { bodyProblems } from './orders_common.mjs';

const now = () => Math.floor(Date.now() / 1000);
const F = '/fulfillment/202309/packages';
const NFE = 'http://www.portalfiscal.inf.br/nfe';

// ---- NF-e files
export function key(rng, cnpj, number, { model = '55', wrong = false } = {}) {
  const d = `35${new Date().toISOString().slice(2, 4)}${new Date().toISOString().slice(5, 7)}${cnpj}${model}001${String(number).padStart(9, '0')}1${rng.digits(8)}`;
  let sum = 0;
  let w = 2;
  for (let i = 42; i >= 0; i--) { sum += Number(d[i]) * w; w = w === 9 ? 2 : w + 1; }
  const r = 11 - (sum % 11);
  const dv = r > 9 ? 0 : r;
  return d + (wrong ? (dv + 1) % 10 : dv);
}

export function nfe(rng, { cnpj = '11222333000181', cpf, number = 1000 + rng.below(900000), protocol = true, status = '100', access, encoding = 'UTF-8', value = '10.00' } = {}) {
  const k = access ?? key(rng, cnpj, number);
  const inner = `<NFe xmlns="${NFE}"><infNFe Id="NFe${k}" versao="4.00"><ide><cUF>35</cUF><mod>55</mod><serie>1</serie><nNF>${number}</nNF></ide><emit><CNPJ>${cnpj}</CNPJ><xNome>LOJA EXEMPLO LTDA</xNome></emit>` +
    `${cpf ? `<dest><CPF>${cpf}</CPF><xNome>João Ção</xNome></dest>` : ''}<total><ICMSTot><vNF>${value}</vNF></ICMSTot></total></infNFe></NFe>`;
  const xml = protocol ? `<?xml version="1.0" encoding="${encoding}"?><nfeProc versao="4.00" xmlns="${NFE}">${inner}<protNFe versao="4.00"><infProt><chNFe>${k}</chNFe><nProt>135260000123456</nProt><cStat>${status}</cStat></infProt></protNFe></nfeProc>`
    : `<?xml version="1.0" encoding="${encoding}"?>${inner}`;
  return { xml, key: k, number: String(number) };
}

// ---- TikTok
const parcels = (tk) => (tk.parcels ??= new Map());

// Gives an order its packages: lists of line positions; without any, one package with all lines.
export function pack(tk, s, order, groups) {
  groups ??= [order.line_items.map((_, i) => i)];
  order.packages = groups.map((lines) => {
    const id = `115${tk.rng.digits(16)}`;
    for (const i of lines) Object.assign(order.line_items[i], { package_id: id, package_status: 'TO_FULFILL' });
    parcels(tk).set(id, { id, s, orders: [order.id], lines, status: 'TO_FULFILL', tracking: '', provider: null, changed: now(), ships: 0, uploads: [], invoice: null, slots: [1, 2, 3].map((d) => ({ start_time: now() + d * 86400, end_time: now() + d * 86400 + 7200, avaliable: d > 1 })) });
    return { id };
  });
  return order.packages.map((p) => parcels(tk).get(p.id));
}

const orderOf = (p) => p.s.orders.get(p.orders[0]);
const needs = (o) => !['NO_NEED', undefined].includes(o.need_upload_invoice);
const accepted = (p) => p.invoice?.status === 'SUCCESS';

// The tax check ends: SUCCESS, or INVALID with a reason. push: also by webhook 36.
export async function settle(tk, p, status, reason, { push = true } = {}) {
  const o = orderOf(p);
  if (p.invoice) p.invoice.status = status;
  if (status === 'SUCCESS') o.need_upload_invoice = 'INVOICE_UPLOADED';
  else { o.need_upload_invoice = 'NEED_INVOICE'; p.invoice = null; }
  tk.set(p.s, o.id, o.status);
  if (push) return tk.notify(p.s, 36, { package_id: p.id, order_ids: p.orders, invoice_status: status, ...(reason ? { invalid_reason: reason } : {}) });
  return 200;
}

// The carrier moves an arranged package.
export function move(tk, p, status) {
  const o = orderOf(p);
  p.status = { IN_TRANSIT: 'FULFILLING', DELIVERED: 'COMPLETED', COMPLETED: 'COMPLETED' }[status] ?? p.status;
  p.changed = now();
  (o.trail ??= []).push({ description: `Pacote: ${status}`, update_time_millis: Date.now() });
  for (const l of o.line_items) if (l.package_id === p.id) l.package_status = p.status;
  return tk.set(p.s, o.id, status);
}

function upload(tk, s, q, r) {
  for (const p of bodyProblems('tiktok', 'post', '/fulfillment/202502/invoice/upload', r.json ?? {})) tk.wrong(`invoice body: ${p}`);
  const errors = [];
  for (const one of r.json?.invoices ?? []) {
    const p = parcels(tk).get(one.package_id);
    if (!Array.isArray(one.order_ids)) tk.wrong('order_ids is no list');
    if (!p || p.s !== s) { tk.wrong(`invoice for a package of nobody: ${one.package_id}`); return tk.no(21011028, 'The package does not belong to the current shop.'); }
    const xml = Buffer.from(one.file ?? '', 'base64').toString('utf8');
    if (Buffer.from(xml, 'utf8').toString('base64') !== one.file) tk.wrong('the file is not the base64 of a text');
    const k = /<chNFe>(\d{44})<\/chNFe>/.exec(xml)?.[1];
    if (!/^(\uFEFF)?<\?xml/.test(xml) || !xml.includes('<nfeProc') || !k || !xml.includes(`Id="NFe${k}"`)) tk.wrong(`uploaded file is no nfeProc: ${xml.slice(0, 80)}`);
    if (/encoding="ISO/i.test(xml)) tk.wrong('the declaration names another encoding than the text has');
    if (!needs(orderOf(p))) tk.wrong(`invoice for ${p.id}, whose order needs none`);
    p.uploads.push({ at: r.at, key: k });
    if (p.invoice) { errors.push({ code: 10007014, message: 'The invoice already exists in the upload. Please try again later', detail: { package_id: p.id, order_ids: p.orders } }); continue; }
    if (p.refuse) { const [code, message] = p.refuse; p.refuse = null; errors.push({ code, message, detail: { package_id: p.id, order_ids: p.orders } }); continue; }
    p.invoice = { key: k, status: 'PROCESSING' };
    if (p.s.orders.get(p.orders[0]).packages.length === 1) orderOf(p).need_upload_invoice = 'INVOICE_PROCESSING';
  }
  return tk.yes({ errors });
}

function arrange(tk, s, p, how, at) {
  const o = orderOf(p);
  const bad = (code, text, judged = true) => { if (judged) tk.wrong(`ship ${p.id}: ${text}`); return { code, message: text }; };
  if (p.s !== s) return bad(21011028, 'The package does not belong to the current shop.');
  if (p.shipRefusal) { const [code, message] = p.shipRefusal; p.shipRefusal = null; return { code, message }; }
  if (p.status !== 'TO_FULFILL') { p.repeats = (p.repeats ?? 0) + 1; return bad(11006021, 'Package has been shipped. Please not ship the package again.', false); }
  if (needs(o) && !accepted(p) && !(o.need_upload_invoice === 'INVOICE_UPLOADED' && o.packages.length === 1)) return bad(21004020, 'Fulfillment Invoice status is not success, can not rts pkg.');
  if (!['AWAITING_SHIPMENT', 'PARTIALLY_SHIPPING'].includes(o.status)) return bad(21011003, 'fulfill_unit action not allowed');
  if (o.is_buyer_request_cancel) return bad(21008044, 'Package item has after-sale request, please process the after-sale request first.');
  if (o.shipping_type === 'SELLER') {
    if (!how.self_shipment || how.handover_method) return bad(21001001, 'Invalid parameters.');
    if (!CARRIERS.some((c) => c.id === how.self_shipment.shipping_provider_id)) return bad(21011022, 'Invalid tracking number or provider ID.');
    p.tracking = how.self_shipment.tracking_number;
    p.provider = how.self_shipment.shipping_provider_id;
  } else {
    if (how.self_shipment || !how.handover_method) return bad(21001001, 'Invalid parameters.');
    if (how.handover_method === 'PICKUP' && !p.slots.some((x) => x.avaliable && x.start_time === how.pickup_slot?.start_time && x.end_time === how.pickup_slot?.end_time)) return bad(21011053, 'Fail to ship package because the shipment time is outside of the pick-up time slot.');
    if (how.handover_method === 'DROP_OFF' && how.pickup_slot) return bad(21001001, 'Invalid parameters.');
    p.tracking = `TKBR${tk.rng.digits(9)}`;
  }
  Object.assign(p, { status: 'PROCESSING', how, ships: p.ships + 1, shippedAt: at, changed: now() });
  for (const l of o.line_items) if (l.package_id === p.id) Object.assign(l, { package_status: 'PROCESSING', tracking_number: p.tracking });
  const left = o.packages.some((x) => parcels(tk).get(x.id).status === 'TO_FULFILL');
  tk.set(s, o.id, left ? 'PARTIALLY_SHIPPING' : o.shipping_type === 'SELLER' ? 'IN_TRANSIT' : 'AWAITING_COLLECTION');
  return { code: 0 };
}

export const CARRIERS = [{ id: '7117858858072016686', name: 'Correios' }, { id: '7117858858072016687', name: 'Jadlog' }];

function ship(tk, s, id, r) {
  for (const p of bodyProblems('tiktok', 'post', `${F}/{package_id}/ship`, r.json ?? {})) tk.wrong(`ship body: ${p}`);
  const p = parcels(tk).get(id);
  if (!p) { tk.wrong(`ship of an unknown package ${id}`); return tk.no(21011028, 'The package does not belong to the current shop.'); }
  const e = arrange(tk, s, p, r.json ?? {}, r.at);
  return e.code ? tk.no(e.code, e.message) : tk.yes({});
}

function batch(tk, s, q, r) {
  for (const p of bodyProblems('tiktok', 'post', `${F}/ship`, r.json ?? {})) tk.wrong(`batch body: ${p}`);
  tk.batches = (tk.batches ?? 0) + 1;
  const errors = [];
  for (const one of r.json?.packages ?? []) {
    const p = parcels(tk).get(one.id);
    const e = p ? arrange(tk, s, p, one, r.at) : { code: 21011028, message: 'The package does not belong to the current shop.' };
    if (e.code) errors.push({ code: e.code, message: e.message, detail: { package_id: one.id } });
  }
  return tk.yes({ errors });
}

function detail(tk, s, id) {
  const p = parcels(tk).get(id);
  if (!p || p.s !== s) return tk.no(21011028, 'The package does not belong to the current shop.');
  const o = orderOf(p);
  const units = new Map();
  for (const i of p.lines) units.set(o.line_items[i].sku_id, (units.get(o.line_items[i].sku_id) ?? 0) + 1);
  return tk.yes({ package_id: p.id, orders: p.orders.map((x) => ({ id: x, skus: [...units].map(([k, n]) => ({ id: k, name: 'x', image_url: '', quantity: n })) })), package_status: p.status, shipping_type: o.shipping_type,
    delivery_option_id: o.delivery_option_id, delivery_option_name: o.delivery_option_name, tracking_number: p.tracking, shipping_provider_id: p.provider ?? '', shipping_provider_name: CARRIERS.find((c) => c.id === p.provider)?.name ?? '',
    update_time: p.changed, create_time: p.changed, order_line_item_ids: p.lines.map((i) => o.line_items[i].id), handover_method: p.how?.handover_method });
}

function slots(tk, s, id) {
  const p = parcels(tk).get(id);
  if (!p) return tk.no(21001001, 'Invalid parameters.');
  return tk.yes({ can_pickup: p.noPickup !== true, can_drop_off: p.noDropOff !== true, can_van_collection: false, drop_off_point_url: 'https://mapa.example', pickup_slots: p.slots });
}

function correct(tk, s, id, r) {
  for (const x of bodyProblems('tiktok', 'post', `${F}/{package_id}/shipping_info/update`, r.json ?? {})) tk.wrong(`correction body: ${x}`);
  const p = parcels(tk).get(id);
  if (!p || p.status === 'TO_FULFILL') { tk.wrong(`correction of ${id}, which is not shipped`); return tk.no(21011043, 'The package has not been shipped yet.'); }
  if (p.corrected) { tk.wrong(`second correction of ${id}`); return tk.no(21011051, 'The tracking number can only be updated once.'); }
  Object.assign(p, { corrected: true, tracking: r.json.tracking_number, provider: r.json.shipping_provider_id, changed: now() });
  return tk.yes({});
}

function label(tk, s, id, q) {
  const p = parcels(tk).get(id);
  if (q.get('document_type') !== 'SHIPPING_LABEL' || !['PDF', 'ZPL'].includes(q.get('document_format') ?? 'PDF')) tk.wrong(`label ${[...q]}`);
  if (!p) return tk.no(21008109, 'Unable to retrieve shipping information, please double check the order status.');
  p.labels = (p.labels ?? 0) + 1;
  if (p.status === 'TO_FULFILL') return tk.no(21023035, 'Please arrange shipment before retrieving the shipping document.');
  if ((p.labelLater ?? 0) > 0) { p.labelLater--; return tk.no(11034037, 'The shipping document is still being generated by the logistics provider, please try again later.'); }
  if (p.status !== 'PROCESSING') return tk.no(21042102, "Documents couldn't be printed after the package has been pickup.");
  return tk.yes({ doc_url: `${tk.url}/docs/${id}.${(q.get('document_format') ?? 'PDF').toLowerCase()}`, tracking_number: p.tracking });
}

// The route of a request about fulfilment, or undefined.
export function fulfilRoute(tk, r) {
  const cipher = ['shop_cipher'];
  let m;
  const row = (query, run) => ({ query: [...cipher, ...query], run });
  if (r.method === 'POST' && r.path === '/fulfillment/202502/invoice/upload') return row([], (s, q, x) => upload(tk, s, q, x));
  if (r.method === 'POST' && r.path === `${F}/ship`) return row([], (s, q, x) => batch(tk, s, q, x));
  if (r.method === 'POST' && (m = /^\/fulfillment\/202309\/packages\/(\d+)\/ship$/.exec(r.path))) return row([], (s, q, x) => ship(tk, s, m[1], x));
  if (r.method === 'POST' && (m = /^\/fulfillment\/202309\/packages\/(\d+)\/shipping_info\/update$/.exec(r.path))) return row([], (s, q, x) => correct(tk, s, m[1], x));
  if (r.method === 'GET' && (m = /^\/fulfillment\/202309\/packages\/(\d+)$/.exec(r.path))) return row([], (s) => detail(tk, s, m[1]));
  if (r.method === 'GET' && (m = /^\/fulfillment\/202309\/packages\/(\d+)\/handover_time_slots$/.exec(r.path))) return row([], (s) => slots(tk, s, m[1]));
  if (r.method === 'GET' && (m = /^\/fulfillment\/202309\/packages\/(\d+)\/shipping_documents$/.exec(r.path))) return row(['document_type', 'document_size', 'document_format'], (s, q) => label(tk, s, m[1], q));
  if (r.method === 'GET' && (m = /^\/fulfillment\/202309\/orders\/(\d+)\/tracking$/.exec(r.path))) return row([], (s) => tk.yes({ tracking: s.orders.get(m[1])?.trail ?? [] }));
  if (r.method === 'GET' && /^\/logistics\/202309\/delivery_options\/\d+\/shipping_providers$/.test(r.path)) return row([], () => tk.yes({ shipping_providers: CARRIERS }));
  return undefined;
}

// Files behind addresses that TikTok gave out; not signed.
export function file(tk, r) {
  const m = /^\/docs\/(\d+)\.(pdf|zpl)$/.exec(r.path);
  if (!m) return undefined;
  tk.files = (tk.files ?? 0) + 1;
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: m[2] === 'pdf' ? `%PDF-1.4\n% ${m[1]}\n` : `^XA^FO50,50^FD${m[1]}^FS^XZ` };
}

// ---- VTEX
// The merchant invoices: what VTEX shows of it. items: [[index, quantity]], all when left out.
export function invoice(order, { number, xml, url = null, items, courier = 'Correios', tracking = null, type = 'Output' }) {
  (order.sales ??= []).push({ items: (items ?? order.body.items.map((i, n) => [n, i.quantity])).map(([itemIndex, quantity]) => ({ itemIndex, quantity, price: 0, description: null, unitMultiplier: 1 })), courier, invoiceNumber: number, invoiceValue: 1000,
    invoiceUrl: url, issuanceDate: new Date().toISOString(), trackingNumber: tracking, invoiceKey: '', trackingUrl: null, embeddedInvoice: xml ?? null, type, courierStatus: null, volumes: 1 });
  order.status = 'invoiced';
  order.next = [];
}

// The answer to a tracking call, or undefined when it is another call.
export function vtexTracking(v, c) {
  let m;
  const find = (id, number) => {
    const o = c.account.orders.get(decodeURIComponent(id));
    const sale = o?.sales?.find((x) => x.invoiceNumber === decodeURIComponent(number));
    if (!sale) v.wrong(`tracking for an invoice that is not there: ${id} ${number}`);
    return [o, sale];
  };
  if (c.r.method === 'PATCH' && (m = /^\/api\/oms\/pvt\/orders\/([^/]+)\/invoice\/([^/]+)$/.exec(c.path))) {
    for (const p of bodyProblems('vtex', 'patch', '/api/oms/pvt/orders/{orderId}/invoice/{invoiceNumber}', c.json)) v.wrong(`tracking body: ${p}`);
    const [o, sale] = find(m[1], m[2]);
    if (!sale) return v.error(404, 'OMS001', 'nota');
    if (sale.trackingNumber === c.json.trackingNumber) v.wrong('the same tracking number again');
    if (!/^\d{4}-\d\d-\d\d$/.test(c.json.dispatchedDate ?? '')) v.wrong(`dispatchedDate ${c.json.dispatchedDate}`);
    Object.assign(sale, { trackingNumber: c.json.trackingNumber, courier: c.json.courier });
    return { status: 200, body: { date: new Date().toISOString(), orderId: o.id, receipt: null } };
  }
  if (c.r.method === 'PUT' && (m = /^\/api\/oms\/pvt\/orders\/([^/]+)\/invoice\/([^/]+)\/tracking$/.exec(c.path))) {
    for (const p of bodyProblems('vtex', 'put', '/api/oms/pvt/orders/{orderId}/invoice/{invoiceNumber}/tracking', c.json)) v.wrong(`events body: ${p}`);
    const [o, sale] = find(m[1], m[2]);
    if (!sale) return v.error(404, 'OMS001', 'nota');
    const same = createHash('sha1').update(c.r.body).digest('hex');
    if (sale.lastEvents === same) v.wrong('the same tracking events again');
    sale.lastEvents = same;
    sale.courierStatus = { finished: c.json.isDelivered, deliveredDate: c.json.deliveredDate, data: c.json.events };
    return { status: 200, body: { date: new Date().toISOString(), orderId: o.id, receipt: null } };
  }
  return undefined;
}
