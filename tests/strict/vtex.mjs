// vtex.mjs - VTEX's catalog, pricing and logistics as the contract words them, for several accounts. It judges every
// request and answers with the oddities that real accounts have: nulls, text ids, missing keys, fractions.
import { Contract } from './schema.mjs';

const contract = new Contract('vtex-openapi.json');

export class Vtex {
  constructor() {
    this.violations = [];
    this.calls = [];
    this.accounts = new Map(); // name -> {key, token, sc, skus: Map(id -> {...}), warehouses}
    this.faults = [];
  }

  bad(text) { this.violations.push(text); }

  // skus: {id: {ref, price, list, stock: [[warehouse, total, reserved, unlimited]], inactive}}
  account(name, { sc, skus, warehouses }) {
    const a = { name, key: `vtexappkey-${name}-STRICT`, token: `token-of-${name}`, sc, skus, warehouses };
    this.accounts.set(name, a);
    return a;
  }

  handle(req, account, raw, body) {
    const [path, text = ''] = raw.split('?');
    const query = text.split('&').filter(Boolean).map((p) => p.split('=').map((x) => decodeURIComponent(x.replaceAll('+', '%20'))));
    const a = this.accounts.get(account);
    const found = contract.find(req.method, path);
    if (!a || !found) { this.bad(`${req.method} ${account} ${path}: no such route`); return { status: 404, raw: '' }; }
    this.calls.push({ name: found.id, account, path, at: Date.now(), query: Object.fromEntries(query), body: body.toString() });
    const wrong = (t) => this.bad(`${found.id} of ${account}: ${t}`);
    if (!req.headers['x-vtex-api-appkey'] || !req.headers['x-vtex-api-apptoken']) { wrong('no key pair'); return { status: 401, raw: 'Unauthorized' }; }
    if (req.headers['x-vtex-api-appkey'] !== a.key || req.headers['x-vtex-api-apptoken'] !== a.token) { wrong('the key pair of another account'); return { status: 403, raw: '' }; }
    if (!/application\/json/.test(req.headers.accept ?? '')) wrong(`accept ${req.headers.accept}`);
    if (body.length && !/^application\/json/.test(req.headers['content-type'] ?? '')) wrong(`content-type ${req.headers['content-type']}`);
    const { bad, json } = contract.judge(found, query, body);
    for (const b of bad) wrong(b);
    const fault = this.faults.find((f) => f.left > 0 && f.operation === found.id);
    if (fault) { fault.left--; return fault.answer; }
    const op = this[found.id];
    if (!op) { wrong('a route this catalog judge does not expect'); return { status: 404, raw: '' }; }
    return op.call(this, { a, args: found.args, q: Object.fromEntries(query), json, wrong });
  }

  getSkuContext({ a, args }) {
    const s = a.skus[args.skuId];
    if (!s) return { status: 404, body: 'SKU not found.' };
    return { status: 200, body: { Id: Number(args.skuId), ProductId: 300, NameComplete: `Produto ${args.skuId}`, ComplementName: null, ProductName: 'Produto', ProductDescription: null,
      SkuName: `sku ${args.skuId}`, IsActive: !s.inactive, IsTransported: true, BrandId: '2000', BrandName: 'Marca',
      Dimension: { cubicweight: 0.2, height: 4.0, length: 30.0, weight: 220.0, width: 25.0 }, RealDimension: null, IsKit: false, KitItems: null,
      SkuSellers: [{ SellerId: '1', StockKeepingUnitId: Number(args.skuId), SellerStockKeepingUnitId: String(args.skuId), IsActive: !s.sellerInactive }],
      SalesChannels: [1, Number(a.sc)], Images: [{ ImageUrl: s.image ?? 'http://127.0.0.1:1/x.jpg', ImageName: null, FileId: 1 }], SkuSpecifications: [], AlternateIds: s.ref ? { RefId: s.ref } : {},
      MeasurementUnit: 'un', UnitMultiplier: 1.0, ProductCategories: { 10: 'Moda' }, ProductCategoryIds: '/10/', IsProductActive: true, NewKey: { a: 1 } } };
  }

  // files: [{url, position, main, place}] in any order
  listSkuFiles({ a, args }) {
    const s = a.skus[args.skuId];
    if (!s) return { status: 404, body: 'SKU not found.' };
    return { status: 200, body: (s.files ?? []).map((f, i) => ({ Id: 9000 + i, ArchiveId: 155600 + i, SkuId: Number(args.skuId), Name: null, IsMain: f.main ?? false, Label: null, Text: null,
      ...(f.url ? { Url: f.url } : {}), FileLocation: f.place ?? null, Position: f.position ?? i, Odd: true })) };
  }

  getSkuIdByRefId({ a, args }) {
    const id = Object.keys(a.skus).find((k) => a.skus[k].ref === args.refId);
    return id ? { status: 200, body: a.sc === '5' ? id : Number(id) } : { status: 404, body: 'Sku not found' };
  }

  getSkuIdsByRefIds({ a, json }) {
    return { status: 200, body: Object.fromEntries(json.map((r) => [r, Object.keys(a.skus).find((k) => a.skus[k].ref === r) ?? null])) };
  }

  getComputedPrice({ a, args, wrong }) {
    if (args.priceTableId !== a.sc) wrong(`price table ${args.priceTableId}`);
    const s = a.skus[args.itemId];
    if (!s || s.price === undefined) return { status: 404, body: { error: { code: 'PRC', message: 'Price not found' } } };
    return { status: 200, body: { tradePolicyId: a.sc, listPrice: s.list ?? null, costPrice: null, sellingPrice: s.price, priceValidUntil: '2027-01-01T00:00:00Z', priceTable: null } };
  }

  getInventoryBySku({ a, args }) {
    const s = a.skus[args.skuId];
    if (!s) return { status: 404, raw: '' };
    return { status: 200, body: { skuId: args.skuId, balance: (s.stock ?? []).map(([w, total, reserved, unlimited]) => ({ warehouseId: w, warehouseName: null,
      totalQuantity: total, reservedQuantity: reserved ?? 0, hasUnlimitedQuantity: unlimited ?? false, timeToRefill: null, dateOfSupplyUtc: null, leadTime: '00:00:00' })) } };
  }

  listWarehouses({ a }) {
    return { status: 200, body: a.warehouses.map((w) => ({ id: w.id, name: w.id, warehouseDocks: w.dock ? [{ dockId: w.dock, name: null, time: '1.00:00:00', cost: 0.0 }] : null, pickupPointIds: null, priority: 0, isActive: w.active ?? true })) };
  }

  listDocks({ a }) {
    return { status: 200, body: a.warehouses.filter((w) => w.dock).map((w) => ({ id: w.dock, name: w.dock, priority: 1, isActive: true, salesChannels: w.sc ?? [a.sc], dockTimeFake: '00:00:00', timeFakeOverhead: '00:00:00', freightTableIds: [] })) };
  }

  listBrandsPaged({ a, q, wrong }) {
    const size = Number(q.pageSize);
    const page = Number(q.page);
    if (!(page >= 1) || !(size >= 1 && size <= 1000)) wrong(`page ${q.page} of ${q.pageSize}`);
    const all = a.brands ?? [];
    return { status: 200, body: { items: all.slice((page - 1) * size, page * size).map((b) => ({ title: null, metaTagDescription: null, imageUrl: null, isActive: true, ...b })),
      paging: { page, perPage: size, total: all.length, pages: Math.ceil(all.length / size) } } };
  }

  // No postal code: prices and stock of the policy, no delivery.
  simulateCart({ a, json, q, wrong }) {
    if (q.sc !== a.sc) wrong(`sc ${q.sc}`);
    const items = [];
    json.items.forEach((it, i) => {
      const s = a.skus[it.id];
      if (!s || s.price === undefined) return;
      const cents = Math.round((s.promo ?? s.price) * 100);
      items.push({ id: it.id, requestIndex: i, quantity: it.quantity, seller: it.seller, tax: 0, price: cents, listPrice: cents, sellingPrice: cents, availability: 'available', unitMultiplier: 1.0, priceDefinition: { calculatedSellingPrice: cents, total: cents * it.quantity, sellingPrices: [{ value: cents, quantity: it.quantity }] } });
    });
    return { status: 200, body: { items, logisticsInfo: items.map((x, i) => ({ itemIndex: i, stockBalance: null, slas: [] })), totals: [], messages: [] } };
  }
}
