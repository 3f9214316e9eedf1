// tiktok.mjs - TikTok Shop's authorization and product side as the contract words it, with a memory. Whatever a
// request does that the platform would refuse, or that the contract forbids, is kept in `violations`.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Contract } from './schema.mjs';
import { judgeCreate, judgeEdit, judgePrices, judgeStock } from './product_rules.mjs';

const contract = new Contract('tiktok-openapi.json');
export const APP_KEY = 'strict-app-key';
export const APP_SECRET = 'strict-app-secret-0123456789';
// Answers of a request that was not done.
const UNDONE = { 429: { status: 429, headers: { 'retry-after': '1' }, raw: '' }, 503: { status: 503, raw: '<html>busy</html>' }, cut: { cut: true } };
const id19 = () => `17${Array.from(randomBytes(17), (b) => b % 10).join('')}`;

export class TikTok {
  constructor() {
    this.violations = [];
    this.calls = [];
    this.shops = new Map();      // id -> {id, name, region, cipher, code, seller, warehouses}
    this.sellers = new Map();    // open_id -> {shops, access, refresh, ...}
    this.codes = new Map();      // auth code -> {open_id, user_type, scopes, used}
    this.images = new Map();     // uri -> {use_case, hash, width, height}
    this.products = new Map();
    this.created = new Map();    // shop + idempotency key -> product id
    this.rate = new Map();
    this.oldTokens = new Set();
    this.categories = [];
    this.attributes = {};
    this.rules = {};
    this.brands = [];
    this.customBrands = [];
    this.recommend = () => null;
    this.faults = [];            // {operation, kind, left}
    this.every = 0;              // an internal error at each so many signed calls
    this.counter = 0;
    this.reviews = 'webhook';    // webhook, poll, off
    this.onEvent = () => {};
  }

  bad(text) { this.violations.push(text); }

  addSeller(openId, shopIds, { region = 'BR', type = 'LOCAL' } = {}) {
    for (const id of shopIds) {
      this.shops.set(id, { id, name: `Loja ${id}`, region, seller_type: type, cipher: `ROW_${randomBytes(9).toString('base64')}+/=${id}`,
        code: `BR${id.slice(-6)}`, warehouses: [
          { id: `${id}9`, name: 'Devoluções', effect_status: 'ENABLED', type: 'RETURN_WAREHOUSE', is_default: true },
          { id: `${id}8`, name: 'Antigo', effect_status: 'DISABLED', type: 'SALES_WAREHOUSE', is_default: false },
          { id: `${id}1`, name: 'Principal', effect_status: 'ENABLED', type: 'SALES_WAREHOUSE', is_default: true },
          { id: `${id}2`, name: 'Segundo', effect_status: 'ENABLED', type: 'SALES_WAREHOUSE', is_default: false }] });
    }
    this.sellers.set(openId, { openId, grants: [], shops: shopIds, scopes: ['seller.authorization.info', 'seller.shop.info', 'seller.product.basic',
      'seller.product.write', 'seller.product.delete', 'seller.order.info', 'seller.fulfillment.basic', 'seller.fulfillment.package.write',
      'seller.logistics', 'seller.return_refund.basic'] });
  }

  grant(openId, { user_type = 0, scopes } = {}) {
    const code = `ROW_${randomBytes(12).toString('base64url')}+/=`;
    this.codes.set(code, { openId, user_type, scopes, at: Date.now() });
    return code;
  }

  // Each authorization has its own pair; a refresh replaces the pair it was made with.
  tokens(seller, grant = {}) {
    const now = Math.floor(Date.now() / 1000);
    if (!seller.grants.includes(grant)) seller.grants.push(grant);
    grant.access = `ROW_${randomBytes(24).toString('base64')}`;
    grant.refresh = `ROW_${randomBytes(24).toString('base64')}r`;
    grant.expired = false;
    seller.until = seller.until ?? now + 365 * 86400;
    seller.accessUntil = now + 7 * 86400;
    return { access_token: grant.access, access_token_expire_in: seller.accessUntil, refresh_token: grant.refresh,
      refresh_token_expire_in: seller.until, open_id: seller.openId, seller_name: `Vendedor ${seller.openId}`, seller_base_region: 'BR',
      user_type: seller.user_type ?? 0, granted_scopes: seller.scopes, something_new: { nested: [1] } };
  }

  answer(code, message, data, http) {
    const status = http ?? (code === 0 ? 200 : code === 36009002 ? 429 : code === 105002 || code === 106001 ? 401 : ++this.counter % 2 ? 200 : 400);
    return { status, body: { code, message, request_id: `2026${randomBytes(14).toString('hex')}`, data: data ?? (this.counter % 3 ? null : {}), server_hint: 'ignore me' } };
  }

  // Answers one request; the server above writes it.
  async handle(req, raw, body) {
    const [path, text = ''] = raw.split('?');
    const query = text.split('&').filter(Boolean).map((p) => {
      const i = p.indexOf('=');
      return [p.slice(0, i < 0 ? p.length : i), i < 0 ? '' : p.slice(i + 1)].map((x) => decodeURIComponent(x.replaceAll('+', '%20')));
    });
    const q = Object.fromEntries(query);
    const found = contract.find(req.method, path);
    if (!found) { this.bad(`${req.method} ${path}: no such operation`); return this.answer(36009009, 'path'); }
    const name = found.id.replace(/_\d{6}$/, '');
    const call = { name, method: req.method, path, q, body, at: Date.now() };
    this.calls.push(call);
    if (name === 'get_access_token' || name === 'refresh_access_token') return this.token(name, found, query, q, req, body);
    const wrong = (text2) => { this.bad(`${name}: ${text2}`); };
    const bearer = req.headers['x-tts-access-token'];
    const seller = [...this.sellers.values()].find((s) => s.grants.some((g) => g.access === bearer));
    const grant = seller?.grants.find((g) => g.access === bearer);
    if (q.app_key !== APP_KEY) wrong(`app_key ${q.app_key}`);
    if (query.some(([k]) => k === 'access_token')) wrong('access token in the query');
    const skew = Number(q.timestamp) - Date.now() / 1000;
    if (!/^\d{10}$/.test(q.timestamp ?? '') || skew > 30 || skew < -300) { wrong(`timestamp ${q.timestamp}`); return this.answer(36009004, 'timestamp'); }
    const type = req.headers['content-type'] ?? '';
    const multipart = /^multipart\/form-data\s*;/i.test(type);
    if (name === 'upload_product_image' ? !multipart : type.split(';')[0].trim() !== 'application/json') wrong(`content-type ${type}`);
    const signed = query.filter(([k]) => k !== 'sign' && k !== 'access_token').sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => k + v).join('');
    const sign = createHmac('sha256', APP_SECRET).update(APP_SECRET + path + signed).update(multipart ? '' : body).update(APP_SECRET).digest('hex');
    if (q.sign !== sign) { wrong('signature'); return this.answer(106001, 'wrong sign'); }
    const { bad, json } = contract.judge(found, query, multipart ? Buffer.alloc(0) : body);
    for (const b of bad) if (!(multipart && b === 'no body')) wrong(b);
    call.json = json;
    if (!seller) { if (!this.oldTokens.has(bearer)) wrong('unknown access token'); return this.answer(105002, 'expired'); }
    if (grant.expired) return this.answer(105002, 'Access token expired');
    const need = found.op['x-scopes'] ?? [];
    for (const s of need) if (!seller.scopes.includes(s)) { wrong(`scope ${s}`); return this.answer(105005, 'scope'); }
    let shop = null;
    const cipherRule = found.op['x-shop-cipher'];
    if (cipherRule === 'none') { if ('shop_cipher' in q) { wrong('a cipher where none belongs'); return this.answer(36009004, 'unexpected identifier'); } } else {
      if (!q.shop_cipher) { wrong('cipher is missing'); return this.answer(106013, 'cipher'); }
      if ([...this.shops.values()].some((s) => s.retired?.includes(q.shop_cipher))) { call.failed = true; return this.answer(101000, 'cipher'); }
      shop = [...this.shops.values()].find((s) => s.cipher === q.shop_cipher);
      if (!shop || !seller.shops.includes(shop.id)) { wrong('cipher of another token'); return this.answer(101000, 'cipher'); }
    }
    call.shop = shop?.id;
    const key = `${shop?.id ?? seller.openId}:${name}`;
    const recent = (this.rate.get(key) ?? []).filter((t) => t > Date.now() - 1000);
    recent.push(Date.now());
    this.rate.set(key, recent);
    if (recent.length > 50) { wrong(`${recent.length} calls in one second`); return this.answer(36009002, 'too many'); }
    if (bad.length) return this.answer(12052910, `Invalid input parameters: ${bad.join('; ')}`);
    const planted = this.faults.find((f) => f.left > 0 && (f.operation === name || f.operation === '*'));
    if (planted) planted.left--;
    const fault = planted?.kind ?? this.chaos?.(name, call);
    this.signed = (this.signed ?? 0) + 1;
    call.fault = fault;
    if (fault === 'internal' || (this.every && this.signed % this.every === 0)) { call.failed = true; return this.answer(36009003, 'Internal error'); }
    if (['429', '503', 'cut'].includes(fault)) { call.failed = true; return UNDONE[fault]; }
    const op = this[name];
    if (!op) { wrong('an operation this catalog judge does not expect'); return this.answer(36009009, 'path'); }
    call.before = this.watch?.(call);
    const out = await op.call(this, { q, json, shop, seller, args: found.args, body, type, wrong, call });
    call.after = this.watch?.(call);
    if (fault === 'done-then-internal') return this.answer(36009003, 'Internal error');
    if (fault === 'done-then-cut') return { cut: true };
    return out;
  }

  token(name, found, query, q, req, body) {
    const { bad } = contract.judge(found, query, body);
    const exact = name === 'get_access_token' ? ['app_key', 'app_secret', 'auth_code', 'grant_type'] : ['app_key', 'app_secret', 'grant_type', 'refresh_token'];
    if (JSON.stringify(Object.keys(q).sort()) !== JSON.stringify(exact)) bad.push(`parameters ${Object.keys(q)}`);
    if (q.app_key !== APP_KEY || q.app_secret !== APP_SECRET) bad.push('app key or secret');
    if (req.headers['x-tts-access-token']) bad.push('an access token at the token page');
    if (bad.length) { this.bad(`${name}: ${bad.join('; ')}`); return this.answer(36004001, bad[0], null, 200); }
    if (name === 'get_access_token') {
      const code = this.codes.get(q.auth_code);
      if (!code || code.used) { this.bad(`${name}: ${code ? 'code used twice' : `unknown code ${q.auth_code}`}`); return this.answer(36004004, 'code', null, 200); }
      code.used = true;
      const seller = this.sellers.get(code.openId);
      seller.user_type = code.user_type;
      if (code.scopes) seller.scopes = code.scopes;
      return this.answer(0, 'success', this.tokens(seller));
    }
    const seller = [...this.sellers.values()].find((s) => s.grants.some((g) => g.refresh === q.refresh_token));
    if (!seller) { this.bad(`${name}: a refresh token that is no longer the newest`); return this.answer(36004004, 'refresh token', null, 200); }
    const grant = seller.grants.find((g) => g.refresh === q.refresh_token);
    if (this.refreshFault?.()) return this.answer(36009003, 'Internal error', null, 200);
    this.oldTokens.add(grant.access);
    seller.refreshed = (seller.refreshed ?? 0) + 1;
    return this.answer(0, 'success', this.tokens(seller, grant));
  }

  get_authorized_shops({ seller }) {
    return this.answer(0, 'Success', { shops: seller.shops.map((id) => { const { warehouses, retired, listed, ...s } = this.shops.get(id); return { ...s, ...(listed ? { cipher: listed } : {}), extra: null }; }) });
  }

  get_warehouse_list({ shop }) {
    return this.answer(0, 'Success', { warehouses: shop.warehouses.map((w) => ({ ...w, entity_id: `e${w.id}`, sub_type: 'DOMESTIC_WAREHOUSE', address: { region: 'Brazil', distict: 'Centro' } })) });
  }

  check_listing_prerequisites({ shop }) {
    return this.answer(0, 'Success', { check_results: ['SHOP_STATUS', 'PICKUP_WAREHOUSE', 'Shipping_Template', 'SOMETHING_NEW'].map((c) => ({ check_item: c,
      is_failed: shop.blocked === c, ...(shop.blocked === c ? { fail_reasons: ['Configure the shipping template first'] } : {}) })) });
  }

  get_categories() { return this.answer(0, 'Success', { categories: this.categories.map((c) => ({ ...c })) }); }

  recommend_category({ json, wrong }) {
    if (!json.product_title || [...json.product_title].length > 300) wrong('recommendation without a usable title');
    for (const i of json.images ?? []) if (!this.images.has(i.uri)) wrong(`image ${i.uri} was not uploaded`);
    const leaf = this.recommend(json.product_title, json);
    if (!leaf) return this.answer(0, 'Success', { leaf_category_id: '', categories: [] });
    const c = this.categories.find((x) => x.id === leaf);
    return this.answer(0, 'Success', { leaf_category_id: leaf, categories: [
      { id: c?.parent_id ?? '0', name: 'Pai', level: 1, is_leaf: false, permission_statuses: ['AVAILABLE'] },
      { id: leaf, name: c?.local_name ?? '?', level: 2, is_leaf: c?.is_leaf ?? true, permission_statuses: c?.permission_statuses ?? ['AVAILABLE'] }] });
  }

  leaf(args, wrong) {
    const c = this.categories.find((x) => x.id === args.category_id);
    if (!c) { wrong(`category ${args.category_id} does not exist`); return this.answer(12052023, 'Category does not exist'); }
    if (!c.is_leaf) { wrong(`category ${args.category_id} is no leaf`); return this.answer(12052024, 'Category is not final category'); }
    return null;
  }

  get_category_rules({ args, wrong }) {
    return this.leaf(args, wrong) ?? this.answer(0, 'Success', { product_certifications: [], size_chart: { is_supported: false, is_required: false }, cod: { is_supported: false },
      package_dimension: { is_required: false }, epr: { is_required: false }, allowed_special_product_types: '["PRE_ORDER"]', ...this.rules[args.category_id] });
  }

  get_attributes({ args, wrong }) {
    return this.leaf(args, wrong) ?? this.answer(0, 'Success', { attributes: this.attributes[args.category_id] ?? [] });
  }

  // Pages of three with a token that has to be percent-encoded.
  get_brands({ q, wrong }) {
    let list = [...this.brands, ...this.customBrands];
    if (q.brand_name) list = list.filter((b) => b.name.toLowerCase().startsWith(q.brand_name.toLowerCase()));
    const size = Math.min(Number(q.page_size), 3);
    let from = 0;
    if (q.page_token) {
      const m = /^b\/\+=(\d+)==$/.exec(q.page_token);
      if (!m) { wrong(`page_token ${q.page_token}`); return this.answer(36009004, 'page_token'); }
      from = Number(m[1]);
    }
    const next = from + size < list.length ? `b/+=${from + size}==` : this.counter++ % 2 ? '' : undefined;
    return this.answer(0, 'Success', { brands: list.slice(from, from + size), total_count: list.length, next_page_token: next });
  }

  create_custom_brands({ json, wrong }) {
    const name = json.name;
    if ([...name].length < 2 || [...name].length > 30 || /\d{5}/.test(name)) { wrong(`brand name ${name}`); return this.answer(12052910, 'brand name'); }
    const b = { id: id19(), name, authorized_status: 'UNAUTHORIEZD', is_t1_brand: false, brand_status: 'AVAILABLE' };
    this.customBrands.push(b);
    return this.answer(0, 'Success', { id: b.id });
  }

  upload_product_image({ body, type, wrong, call }) {
    const boundary = /boundary=("?)([^";]+)\1/i.exec(type)?.[2];
    const parts = {};
    if (!boundary) { wrong('no boundary'); return this.answer(36009023, 'multipart'); }
    const text = body.toString('latin1');
    for (const piece of text.split(`--${boundary}`).slice(1, -1)) {
      const cut = piece.indexOf('\r\n\r\n');
      const name = /name="([^"]+)"/.exec(piece.slice(0, cut))?.[1];
      if (parts[name] !== undefined) wrong(`part ${name} twice`);
      parts[name] = { head: piece.slice(0, cut), data: Buffer.from(piece.slice(cut + 4, -2), 'latin1') };
    }
    if (!text.trimEnd().endsWith(`--${boundary}--`)) wrong('multipart does not end');
    for (const n of Object.keys(parts)) if (!['data', 'use_case'].includes(n)) wrong(`part ${n} is unknown`);
    if (!parts.data?.data.length) { wrong('no file'); return this.answer(36009022, 'data'); }
    const useCase = parts.use_case?.data.toString() ?? 'MAIN_IMAGE';
    if (!['MAIN_IMAGE', 'ATTRIBUTE_IMAGE', 'DESCRIPTION_IMAGE', 'CERTIFICATION_IMAGE', 'SIZE_CHART_IMAGE'].includes(useCase)) wrong(`use_case ${useCase}`);
    const size = imageSize(parts.data.data);
    if (!size) { wrong('file is no PNG, JPEG, WEBP or BMP'); return this.answer(12052304, 'format'); }
    const [least, most] = useCase === 'MAIN_IMAGE' ? [300, 4000] : useCase === 'DESCRIPTION_IMAGE' ? [100, 3999] : [100, 20000];
    if (Math.min(...size) < least || Math.max(...size) > most) { wrong(`${useCase} of ${size}`); return this.answer(12052301, 'size'); }
    if (parts.data.data.length > 10 << 20) wrong('image over 10 MB');
    const hash = createHash('sha256').update(parts.data.data).digest('hex');
    const uri = `tos-maliva-i-${randomBytes(8).toString('hex')}/${hash.slice(0, 12)}`;
    call.image = { hash, useCase };
    this.images.set(uri, { use_case: useCase, hash, width: size[0], height: size[1], url: `https://p16.example/${uri}`, data: parts.data.data });
    return this.answer(0, 'Success', { uri, url: `https://p16.example/${uri}`, height: size[1], width: size[0], use_case: useCase });
  }

  create_product({ json, shop, wrong, call }) {
    const before = json.idempotency_key && this.created.get(`${shop.id}:${json.idempotency_key}`);
    if (!json.idempotency_key) wrong('no idempotency_key');
    if (before) {
      const p = this.products.get(before);
      if (p.createBody !== JSON.stringify(json)) wrong('the idempotency_key of another body');
      return this.answer(0, 'Success', { product_id: p.id, skus: p.skus.map((s) => ({ id: s.id, seller_sku: s.seller_sku, external_sku_id: s.external_sku_id })).reverse() });
    }
    const faults = judgeCreate(this, shop, json);
    if (json.external_product_id && [...this.products.values()].some((p) => p.shop === shop.id && p.status !== 'DELETED' && p.external_product_id === json.external_product_id)) {
      faults.push({ code: 12052996, message: 'external_id duplicated' });
    }
    if (faults.length) {
      for (const f of faults.filter((x) => !x.expected)) wrong(`${f.code} ${f.message} (${json.title})`);
      return faults.length > 1 ? this.answer(12052990, 'The check failed.', { errors: [{ code: 12052990, message: 'check', detail: { extra_errors: faults } }] })
        : this.answer(faults[0].code, faults[0].message);
    }
    const refused = this.refuse?.(json);
    if (refused) return this.answer(refused.code, refused.message);
    const at = Math.floor(Date.now() / 1000);
    const p = { shop: shop.id, id: id19(), status: 'PENDING', audit: 'AUDITING', created: at, updated: at, createBody: JSON.stringify(json), ...structuredClone(json) };
    p.skus = p.skus.map((s) => ({ ...s, id: id19() }));
    this.products.set(p.id, p);
    if (json.idempotency_key) this.created.set(`${shop.id}:${json.idempotency_key}`, p.id);
    call.product = p.id;
    this.review(p);
    const data = { product_id: p.id, skus: p.skus.map((s) => ({ id: s.id, seller_sku: s.seller_sku, external_sku_id: s.external_sku_id, sales_attributes: [] })).reverse() };
    if (this.products.size % 4 === 0) data.warnings = [{ message: 'The [brand_id] field was cleared.' }];
    return this.answer(0, 'Success', data);
  }

  mine(args, shop, wrong, states) {
    const p = this.products.get(args.product_id);
    if (!p || p.shop !== shop.id) { wrong(`product ${args.product_id} is not of this shop`); return [null, this.answer(12052260, 'The product ID does not exist')]; }
    if (states && !states.includes(p.status)) return [null, this.answer(12052901, `product status ${p.status}`)];
    return [p, null];
  }

  partial_edit_product({ args, json, shop, wrong }) {
    const [p, no] = this.mine(args, shop, wrong, ['DRAFT', 'PENDING', 'FAILED', 'ACTIVATE', 'SELLER_DEACTIVATED', 'PLATFORM_DEACTIVATED']);
    if (no) return no;
    if (!Object.keys(json).filter((k) => k !== 'save_mode').length) wrong('an edit that edits nothing');
    const faults = judgeEdit(this, shop, p, json);
    if (faults.length) { for (const f of faults) wrong(`${f.code} ${f.message} (${p.title})`); return this.answer(faults[0].code, faults[0].message); }
    const skus = json.skus?.map((s) => {
      const old = skuOf(p, s.id);
      return old ? { ...old, ...s } : { ...s, id: id19() };
    });
    const change = { ...structuredClone(json), ...(skus ? { skus } : {}) };
    delete change.save_mode;
    p.updated = Math.floor(Date.now() / 1000);
    if (p.status === 'ACTIVATE') { p.pending = { ...p.pending, ...change }; p.audit = 'AUDITING'; } else { Object.assign(p, change); p.status = p.status === 'FAILED' ? 'PENDING' : p.status; p.audit = 'AUDITING'; }
    this.review(p);
    return this.answer(0, 'Success', { product_id: p.id, skus: (skus ?? p.skus).map((s) => ({ id: s.id, seller_sku: s.seller_sku, external_sku_id: s.external_sku_id })), warnings: [] });
  }

  // Everything is replaced but price and stock: only where a test says that a part would not do.
  edit_product({ wrong, json, args, shop }) {
    if (!this.wholeEdits) { wrong(`a whole edit of ${args.product_id} (${Object.keys(json)})`); return this.answer(12052910, 'not here'); }
    const [p, no] = this.mine(args, shop, wrong, ['DRAFT', 'PENDING', 'FAILED', 'ACTIVATE', 'SELLER_DEACTIVATED', 'PLATFORM_DEACTIVATED']);
    if (no) return no;
    const faults = judgeCreate(this, shop, json, p);
    for (const s of p.skus) if (!json.skus.some((x) => x.id === s.id)) wrong(`a whole edit without the SKU ${s.seller_sku}`);
    if (faults.length) { for (const f of faults) wrong(`${f.code} ${f.message} (${p.title})`); return this.answer(faults[0].code, faults[0].message); }
    const skus = json.skus.map((s) => { const old = p.skus.find((x) => x.id === s.id); return old ? { ...old, ...s } : { ...s, id: id19() }; });
    const blank = Object.fromEntries(['brand_id', 'package_dimensions', 'product_attributes', 'certifications', 'size_chart', 'video'].map((k) => [k, undefined]));
    Object.assign(p, { audit: 'AUDITING', pending: { ...blank, ...structuredClone(json), skus } });
    this.review(p);
    return this.answer(0, 'Success', { product_id: p.id, skus: skus.map((s) => ({ id: s.id, seller_sku: s.seller_sku, external_sku_id: s.external_sku_id })), warnings: [] });
  }

  update_price({ args, json, shop, wrong, call }) {
    const [p, no] = this.mine(args, shop, wrong);
    if (no) return no;
    if (p.status !== 'ACTIVATE') { wrong(`price of a product that is ${p.status}`); return this.answer(12019113, 'product is not live'); }
    if (json.skus.some((s) => p.undone?.includes(s.id))) { call.failed = true; return this.answer(12052901, 'SKU does not exist'); }
    const faults = judgePrices({ ...p, skus: all(p) }, json);
    if (faults.length) { for (const f of faults) wrong(`${f.code} ${f.message}`); return this.answer(faults[0].code, faults[0].message); }
    if (json.skus.some((s) => skuOf(p, s.id).promotion)) { call.failed = true; return this.answer(12052038, 'Product price locked due to ongoing promotion.'); }
    for (const s of json.skus) for (const x of versions(p, s.id)) x.price = { ...s.price };
    return this.answer(0, 'Success', this.counter++ % 2 ? {} : undefined);
  }

  update_inventory({ args, json, shop, wrong, call }) {
    const [p, no] = this.mine(args, shop, wrong);
    if (no) return no;
    if (p.status !== 'ACTIVATE') { wrong(`stock of a product that is ${p.status}`); return this.answer(12052901, 'product is not live'); }
    if (json.skus.some((s) => p.undone?.includes(s.id))) { call.failed = true; return this.answer(12052901, 'SKU does not exist'); }
    const faults = judgeStock(shop, { ...p, skus: all(p) }, json);
    if (faults.length) { for (const f of faults) wrong(`${f.code} ${f.message}`); return this.answer(faults[0].code, faults[0].message); }
    const errors = [];
    for (const s of json.skus) {
      const sku = skuOf(p, s.id);
      if (this.refusesZero && s.inventory.some((i) => i.quantity === 0)) { errors.push({ code: 12052990, message: 'Check failed', detail: { sku_id: s.id, extra_errors: [{ code: 12052055, message: 'within allowed limits', warehouse_id: s.inventory[0].warehouse_id }] } }); continue; }
      if (sku.locked > s.inventory[0].quantity) { errors.push({ code: 12052393, message: 'locked by a promotion', detail: { sku_id: s.id, extra_errors: [{ code: 12052393, message: 'locked', warehouse_id: s.inventory[0].warehouse_id }] } }); continue; }
      const inventory = s.inventory.map((i) => ({ warehouse_id: i.warehouse_id ?? sku.inventory[0].warehouse_id, quantity: i.quantity }));
      for (const x of versions(p, s.id)) x.inventory = inventory;
    }
    return this.answer(0, 'Success', errors.length ? { errors } : {});
  }

  inventory_search({ json }) {
    const all = [...this.products.values()].filter((p) => (json.product_ids ?? []).includes(p.id) || p.skus.some((s) => (json.sku_ids ?? []).includes(s.id)));
    return this.answer(0, 'Success', { inventory: all.map((p) => ({ product_id: p.id, skus: p.skus.map((s) => ({ id: s.id, seller_sku: s.seller_sku,
      total_available_quantity: s.inventory.reduce((a, i) => a + i.quantity, 0), total_committed_quantity: 0,
      warehouse_inventory: s.inventory.map((i) => ({ warehouse_id: i.warehouse_id, available_quantity: i.quantity, committed_quantity: 0 })) })) })) });
  }

  view(p, version = p) {
    const v = { ...p, ...version };
    const state = p.status === 'PENDING' || p.status === 'FAILED' || p.status === 'DRAFT' ? 'DRAFT' : p.status;
    return { id: p.id, status: p.status, product_status: state, title: v.title, description: v.description,
      category_chains: [{ id: '1', parent_id: '0', is_leaf: false }, { id: v.category_id, parent_id: '1', local_name: 'x', is_leaf: true }],
      ...(v.brand_id ? { brand: { id: v.brand_id, name: 'marca' } } : {}),
      main_images: v.main_images.map((i) => ({ uri: i.uri, height: 400, width: 400, urls: ['https://p16.example/x'], thumb_urls: [] })),
      package_weight: v.package_weight, package_dimensions: v.package_dimensions, product_attributes: v.product_attributes ?? [],
      external_product_id: v.external_product_id,
      skus: v.skus.map((s) => ({ id: s.id, seller_sku: s.seller_sku, external_sku_id: s.external_sku_id, identifier_code: s.identifier_code, sales_attributes: s.sales_attributes ?? [],
        price: { currency: s.price.currency, tax_exclusive_price: s.price.amount, sale_price: s.price.amount }, inventory: s.inventory, status_info: { status: 'NORMAL' } })),
      audit: { status: p.audit, ...(p.waits ? { pre_approved_reasons: p.waits } : {}) }, ...(p.audit === 'FAILED' ? { audit_failed_reasons: [{ position: 'Product', reasons: ['Proibido vender isto'], suggestions: ['Mude a imagem'], listing_platform: 'TIKTOK_SHOP' }] } : {}),
      ...(v.video ? { video: v.video } : {}), create_time: p.created ?? 1, update_time: p.updated ?? 1, has_draft: false, is_cod_allowed: false, brand_new_field: [null] };
  }

  // Notifications name products that are gone or were never here: asking for one is no mistake, of another shop it is.
  get_product({ args, shop, q, wrong }) {
    if (!this.products.has(args.product_id)) return this.answer(12052260, 'The product ID does not exist');
    const [p, no] = this.mine(args, shop, wrong);
    if (no) return no;
    return this.answer(0, 'Success', this.view(p, q.return_under_review_version === 'true' ? p.pending : undefined));
  }

  // A product that people listed themselves, with pictures of their own; given members stand over the usual ones.
  people(shopId, product) {
    const uri = `people-${randomBytes(6).toString('hex')}`;
    const inside = Math.floor(Date.now() / 1000) - 86400;
    this.images.set(uri, { use_case: 'MAIN_IMAGE', hash: uri, width: 800, height: 800 });
    const p = { shop: shopId, id: id19(), status: 'ACTIVATE', audit: 'APPROVED', created: inside, updated: inside, title: 'Feito à mão no Seller Center',
      description: '<p>Feito à mão</p>', main_images: [{ uri }], package_weight: { value: '0.500', unit: 'KILOGRAM' }, ...product };
    p.skus = p.skus.map((s) => ({ id: id19(), price: { amount: '10.00', currency: 'BRL' }, inventory: [{ warehouse_id: `${shopId}1`, quantity: 3 }], ...s }));
    this.products.set(p.id, p);
    return p;
  }

  // The listing does not show external ids, and gives no more than searchMax products of one search.
  search_products({ json, shop, q, wrong }) {
    let list = [...this.products.values()].filter((p) => p.shop === shop.id);
    if (json.seller_skus?.length > 10) { wrong(`${json.seller_skus.length} seller SKUs in one search`); return this.answer(12019027, 'too many SKUs'); }
    if (json.seller_skus?.length) list = list.filter((p) => p.skus.some((s) => json.seller_skus.includes(s.seller_sku)));
    if (json.status && json.status !== 'ALL') list = list.filter((p) => p.status === json.status);
    if (json.sku_ids?.length) list = list.filter((p) => p.skus.some((s) => json.sku_ids.includes(s.id)));
    list = list.filter((p) => (p.created ?? 1) >= (json.create_time_ge ?? 0) && (p.created ?? 1) <= (json.create_time_le ?? Infinity)
      && (p.updated ?? 1) >= (json.update_time_ge ?? 0) && (p.updated ?? 1) <= (json.update_time_le ?? Infinity));
    const m = /^p\/\+(\d+)=$/.exec(q.page_token ?? 'p/+0=');
    if (!m) { wrong(`page_token ${q.page_token}`); return this.answer(36009004, 'page_token'); }
    const from = Number(m[1]);
    const size = Math.min(Number(q.page_size), 2);
    if (from + size > (this.searchMax ?? 10000)) return this.answer(12052180, 'The total number of search results can not exceed 10000.');
    const row = (p) => {
      const v = this.view(p);
      return { id: v.id, title: v.title, status: v.status, audit: v.audit, create_time: v.create_time, update_time: v.update_time, sales_regions: ['BR'],
        skus: v.skus.map(({ id, seller_sku, price, inventory, status_info }) => ({ id, seller_sku, price, inventory, status_info })) };
    };
    return this.answer(0, 'Success', { ...(this.counter++ % 2 ? { total_count: list.length } : {}), products: list.slice(from, from + size).map(row), next_page_token: from + size < list.length ? `p/+${from + size}=` : '' });
  }

  many(json, shop, wrong, act) {
    const errors = [];
    if (!json.product_ids.length || json.product_ids.length > 20) wrong(`${json.product_ids.length} ids at once`);
    for (const id of json.product_ids) {
      const p = this.products.get(id);
      if (!p || p.shop !== shop.id) { wrong(`product ${id}`); errors.push({ code: 12052260, message: 'no such product', detail: { product_id: id } }); } else act(p);
    }
    return this.answer(0, 'Success', errors.length ? { errors } : this.counter++ % 2 ? {} : null);
  }

  deactivate_products({ json, shop, wrong }) { return this.many(json, shop, wrong, (p) => { p.status = 'SELLER_DEACTIVATED'; }); }
  activate_product({ json, shop, wrong }) { return this.many(json, shop, wrong, (p) => { p.status = 'PENDING'; p.audit = 'AUDITING'; this.review(p); }); }
  delete_products({ json, shop, wrong }) { return this.many(json, shop, wrong, (p) => { p.status = 'DELETED'; }); }

  get_order_list({ json, q }) {
    if (Number(q.page_size) > 100) this.bad('orders page_size');
    return this.answer(0, 'Success', { orders: [], total_count: 0, next_page_token: '' });
  }
  get_order_detail() { return this.answer(0, 'Success', { orders: [] }); }
  search_returns() { return this.answer(0, 'Success', { return_orders: [], next_page_token: '' }); }
  search_cancellations() { return this.answer(0, 'Success', { cancellations: [], next_page_token: '' }); }
  get_shop_webhooks() { return this.answer(0, 'Success', { webhooks: [] }); }
  update_shop_webhook() { return this.answer(0, 'Success', {}); }

  // The review: decided at once, told by webhook or only to who asks.
  review(p) {
    if (this.reviews === 'off') return;
    setTimeout(() => this.decide(p, this.reviews === 'webhook'), 150);
  }

  decide(p, tell) {
    const v = p.pending ? { ...p, ...p.pending } : p;
    const no = /REPROVAR/.test(v.title);
    if (p.audit !== 'AUDITING') return;
    p.audit = no ? 'FAILED' : 'APPROVED';
    if (!no && p.pending) { Object.assign(p, p.pending); }
    // SKUs that a refused edit would have brought: whoever still names them may not have heard of it.
    if (no && p.pending?.skus) p.undone = [...(p.undone ?? []), ...p.pending.skus.filter((s) => !p.skus.some((x) => x.id === s.id)).map((s) => s.id)];
    delete p.pending;
    if (p.status === 'PENDING') p.status = no ? 'FAILED' : 'ACTIVATE';
    if (!tell) return;
    const at = Math.floor(Date.now() / 1000);
    this.onEvent(p.shop, 5, `{"product_id":${p.id},"status":"${no ? 'PRODUCT_AUDIT_FAILURE' : 'PRODUCT_FIRST_PASS_REVIEW'}","suspended_reason":"","update_time":${at}}`);
    this.onEvent(p.shop, 37, `{"product_id":"${p.id}","audit":{"status":"${p.audit}"},"update_time":${at}}`);
  }
}

// A SKU as it stands on sale and in the edit under review: price and stock of an edit wait for no review.
function versions(p, id) {
  return [...p.skus, ...(p.pending?.skus ?? [])].filter((x) => x.id === id);
}

// All SKUs, those of an edit under review too.
function all(p) {
  return [...p.skus, ...(p.pending?.skus ?? []).filter((s) => !p.skus.some((x) => x.id === s.id))];
}

// The newest version of a SKU.
function skuOf(p, id) {
  return versions(p, id).at(-1);
}

// Width and height from the header of a PNG, BMP, JPEG or WEBP file; null for anything else.
export function imageSize(b) {
  if (b.length > 24 && b.readUInt32BE(0) === 0x89504e47) return [b.readUInt32BE(16), b.readUInt32BE(20)];
  if (b.length > 26 && b.toString('latin1', 0, 2) === 'BM') return [b.readInt32LE(18), Math.abs(b.readInt32LE(22))];
  if (b.length > 4 && b.readUInt16BE(0) === 0xffd8) {
    for (let i = 2; i + 9 < b.length;) {
      const m = b[i + 1];
      if (m >= 0xc0 && m <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(m)) return [b.readUInt16BE(i + 7), b.readUInt16BE(i + 5)];
      i += 2 + b.readUInt16BE(i + 2);
    }
  }
  return null;
}
