// A strict TikTok Shop and VTEX that share nothing with the sandbox judge the catalog and the authorization:
// every request against the contracts, and in the end every product and SKU against what the merchant said.
import { connect as dial } from 'node:net';
import { readFileSync } from 'node:fs';
import { end, ok, request, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { CAT, LONG, POLICIES_A, POLICIES_B, POLICIES_C, VTEX_A, VTEX_C, WANT_A, WANT_B, WANT_C, atom, furnish, merchantA, merchantB, merchantC, rss } from '../strict/merchant.mjs';

const [A, B, C, D] = ['strict-loja-a', 'strict-loja-b', 'strict-loja-c', 'strict-loja-d'];
const w = await World.start({ IN_DOUBT_SETTLE_SECONDS: '2' });
const { tiktok } = w;
furnish(tiktok);
tiktok.every = 23;
tiktok.addSeller('seller-a', ['7000000000000000101']);
tiktok.addSeller('seller-b', ['7000000000000000202']);
tiktok.addSeller('seller-c', ['7000000000000000303', '7000000000000000304'], { type: 'CROSS_BORDER' });
tiktok.addSeller('creator', ['7000000000000000909']);
w.vtex.account('strictaa', { sc: '5', skus: structuredClone(VTEX_A), warehouses: [{ id: '1_1', dock: 'd1' }, { id: '2_2', dock: 'd2' }, { id: '9_9', dock: 'd9' }] });
w.vtex.account('strictcc', { sc: '2', skus: structuredClone(VTEX_C), warehouses: [{ id: '1_1', dock: 'd1' }, { id: '3_3', dock: 'd3', active: false }] });

let seed = 0;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path) && name !== 'gone') {
    w.merchant.files.set(path, name === 'html' ? { type: 'text/html', body: '<html>gone fishing</html>' } : { type: 'image/png', body: png(name === 'small' ? 120 : 400, name === 'small' ? 120 : 400, ++seed) });
  }
  return w.merchant.url + path;
};
const feed = (name, body) => { w.merchant.files.set(`/${name}.xml`, { body }); return `${w.merchant.url}/${name}.xml`; };
const vtex = (account, sc, warehouses) => ({ account, app_key: `vtexappkey-${account}-STRICT`, app_token: `token-of-${account}`, sales_channel: sc, affiliate_id: 'TTK', warehouse_ids: warehouses });
const itemsA = merchantA(img);
await w.must('PUT', `/v1/clients/${A}`, { name: 'Loja A', tik_tok_shop_feed_link: feed('a', rss('x', itemsA)), vtex: vtex('strictaa', '5', ['1_1', '2_2']), policies: POLICIES_A });
await w.must('PUT', `/v1/clients/${B}`, { name: 'Loja B', tik_tok_shop_feed_link: feed('b', atom('goog', merchantB(img))), tik_tok_shop_warehouse_id: '70000000000000002022', policies: POLICIES_B });
await w.must('PUT', `/v1/clients/${C}`, { name: 'Loja C', tik_tok_shop_feed_link: feed('c', merchantC(img)), vtex: vtex('strictcc', '2', ['1_1']), policies: POLICIES_C });
await w.must('PUT', `/v1/clients/${D}`, { name: 'Loja D' });

const exchanges = () => tiktok.calls.filter((c) => c.name === 'get_access_token').length;
const page = (r) => r.text.replace(/<[^>]*>/g, ' ');

await test('authorize: redirect, state and cookie', async () => {
  const [one, two] = [await w.begin(A), await w.begin(A)];
  same(one.to.pathname, '/open/authorize', 'path');
  same([...one.to.searchParams.keys()].sort(), ['service_id', 'state'], 'parameters');
  same(one.to.searchParams.get('service_id'), 'strict-service', 'service_id');
  ok(/^[A-Za-z0-9_-]{22,}$/.test(one.state), `state ${one.state}`);
  ok(one.state !== two.state, 'a state of its own each time');
  ok(one.cookies.length >= 1, 'a cookie binds the browser');
  for (const c of one.cookies) ok(/httponly/i.test(c) && /samesite=lax/i.test(c) && !/domain=/i.test(c), `cookie ${c.replace(/=[^;]*/, '=…')}`);
  ok(!one.cookies.some((c) => c.includes(one.state)), 'the cookie does not show the state');
  same((await request('GET', `${w.url}/tiktok/authorize?client_hash=${A}`)).status, 401, 'without token');
});

await test('callback: foreign, used, missing and expired states and every refusal', async () => {
  const before = exchanges();
  const b = await w.begin(A);
  const other = await w.begin(A);
  const s = encodeURIComponent(b.state);
  for (const [query, jar, what] of [[`code=x&state=${s}`, '', 'another browser'], [`code=x&state=${s}`, other.jar, 'a foreign cookie'], ['code=x&state=nobody', b.jar, 'unknown state'], ['code=x', b.jar, 'no state'], ['', '', 'nothing'], [`code=x&state=${s}&state=${s}`, b.jar, 'two states']]) {
    const r = await w.back(query, jar);
    same(r.status, 400, what);
    ok(/text\/html/.test(r.headers['content-type']) && !r.text.includes(b.state), `${what}: a page that shows no state`);
  }
  const old = await w.begin(A);
  w.sql("UPDATE oauth_states SET expires_at = now() - interval '1 second' WHERE expires_at > now()");
  same((await w.back(`code=x&state=${encodeURIComponent(old.state)}`, old.jar)).status, 400, 'expired state');
  for (const q of ['', 'code=', 'code=null', 'code=null&error=auth_denied', 'error=access_denied', `code=${encodeURIComponent(tiktok.grant('seller-a'))}&error=auth_denied`]) {
    const n = await w.begin(A);
    const r = await w.back(`${q}${q ? '&' : ''}state=${encodeURIComponent(n.state)}`, n.jar);
    ok([200, 303, 400].includes(r.status), `refusal ${q} answered ${r.status}`);
    if (r.status === 303) await request('GET', new URL(r.headers.location, w.url).href);
    same((await w.back(`code=y&state=${encodeURIComponent(n.state)}`, n.jar)).status, 400, `state after refusal ${q}`);
  }
  await new Promise((r) => setTimeout(r, 300));
  same(exchanges(), before, 'token calls');
});

await test('a code is exchanged once; user_type, tokens, shops and ciphers are kept', async () => {
  const shops = await w.connect(A, 'seller-a');
  same(shops.length, 1, 'shops');
  same(shops[0].shop_id, '7000000000000000101', 'shop');
  const seller = tiktok.sellers.get('seller-a');
  same(Math.floor(Date.parse(shops[0].access_token_expires_at) / 1000), seller.accessUntil, 'expiry is the moment that TikTok named');
  same(Math.floor(Date.parse(shops[0].authorization_ends_at) / 1000), seller.until, 'end of the authorization');
  same([...shops[0].granted_scopes].sort(), [...seller.scopes].sort(), 'scopes');
});

await test('a creator, a narrow grant and a shop of another client are refused in words', async () => {
  const follow = async (openId, grant, hash = D) => {
    const b = await w.begin(hash);
    const r = await w.back(`code=${encodeURIComponent(tiktok.grant(openId, grant))}&state=${encodeURIComponent(b.state)}`, b.jar);
    if (r.status !== 303) return r;
    const at = new URL(r.headers.location, w.url).href;
    return until('the page has an end', async () => {
      const p = await request('GET', at, { headers: { cookie: b.jar } });
      return !/http-equiv="?refresh/i.test(p.text) && p;
    });
  };
  for (const [openId, grant, what] of [['creator', { user_type: 1 }, 'creator'], ['seller-a', {}, 'shop of another client']]) {
    const p = await follow(openId, grant);
    const shops = await w.must('GET', `/v1/clients/${D}/shops`);
    same(shops.items.filter((x) => x.status === 'connected').length, 0, `${what}: shops`);
    ok(!/\bconnected\b/i.test(page(p).replace(/not connected|already connected|is connected to/gi, '')), `${what}: ${page(p).slice(0, 500)}`);
  }
  same((await w.must('GET', `/v1/clients/${A}/shops`)).items[0].status, 'connected', 'shop of A');
});

await test('a cross-border token brings two shops, a second merchant its own', async () => {
  await w.connect(B, 'seller-b');
  const shops = await until('both shops', async () => { await w.connect(C, 'seller-c'); const s = (await w.must('GET', `/v1/clients/${C}/shops`)).items; return s.length === 2 && s; });
  same(shops.map((x) => x.status), ['connected', 'connected'], 'both');
});

const of = (shop) => [...tiktok.products.values()].filter((p) => p.shop === shop && p.status !== 'DELETED');
const catalog = {};

await test('three feeds become products at once', async () => {
  const runs = await Promise.all([A, B, C].map((h) => w.run(h)));
  for (const r of runs) same(r.progress.done, r.progress.total, `done (${JSON.stringify(r)})`);
  for (const h of [A, B, C]) catalog[h] = Object.fromEntries((await w.settled(h)).map((p) => [p.source_id, p]));
});

const show = (h) => Object.values(catalog[h]).map((p) => `${p.source_id}:${p.status}:${p.problems.map((x) => `${x.code}/${x.message}`).join('|')}`).join('\n     ');
if (process.env.SHOW) { for (const h of [A, B, C]) console.log(`     ${show(h)}`); for (const p of tiktok.products.values()) console.log(p.shop.slice(-3), p.status, JSON.stringify({ ...p, createBody: undefined }).slice(0, 900)); }
if (process.env.KEEP) { console.log(w.database, w.connector.log, [...tiktok.violations, ...w.vtex.violations]); await new Promise(() => {}); }

function skusIn(shop) {
  const out = {};
  for (const p of of(shop)) for (const s of p.skus) out[s.seller_sku] = [s.price.amount, s.inventory.reduce((a, i) => a + i.quantity, 0), p, s];
  return out;
}

function compare(shop, want) {
  const have = Object.fromEntries(Object.entries(skusIn(shop)).filter(([k]) => !['1046', '9999'].includes(k)));
  const got = Object.fromEntries(Object.entries(have).map(([k, v]) => [k, v.slice(0, 2)]).sort());
  const cents = (v) => Object.fromEntries(Object.entries(v).map(([k, [p, s]]) => [k, [Number(p).toFixed(2), s]]).sort());
  const diff = [];
  const [g, x] = [cents(got), cents(want)];
  for (const k of new Set([...Object.keys(g), ...Object.keys(x)])) if (JSON.stringify(g[k]) !== JSON.stringify(x[k])) diff.push(`${k}: has ${g[k]}, wants ${x[k]}`);
  same(diff, [], `SKUs of ${shop}`);
}

await test('merchant A: price and stock by every rule, SKU by SKU', () => compare('7000000000000000101', WANT_A));
await test('merchant B: feed money, sale windows and feed stock', () => compare('7000000000000000202', WANT_B));
await test('merchant C: RefIds became VTEX ids', () => compare('7000000000000000303', WANT_C));
await test('merchant C: the second shop got nothing', () => same(of('7000000000000000304').length, 0, 'products'));
await test('one TikTok product per source product', () => {
  for (const shop of tiktok.shops.keys()) {
    const ids = of(shop).map((p) => p.external_product_id);
    same(new Set(ids).size, ids.length, `external ids of ${shop}: ${ids}`);
  }
});

const held = (sku) => skusIn('7000000000000000101')[sku]?.[2];
const plain = (html) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim();

await test('content: titles, descriptions, images, packages, codes, brands', () => {
  const sun = held('1041');
  ok(/^Camiseta Sol & Mar linda!{1,9}$/.test(sun.title), `title ${sun.title}`);
  ok(/Título/.test(sun.description) && /Uma linha/.test(plain(sun.description)) && /outra/.test(sun.description) && /link/.test(sun.description), `description ${sun.description}`);
  const long = held('1042');
  ok([...long.title].length <= 300 && LONG.startsWith(long.title) && [...long.title].length > 270, `title of ${[...long.title].length}`);
  ok(plain(long.description).length > 9000, `long description of ${long.description.length}`);
  const shirts = held('1001');
  same(shirts.skus.length, 4, 'variants');
  ok(/Fresca/.test(shirts.description) && !/alert/.test(shirts.description), `description ${shirts.description}`);
  ok(/^Camiseta Praia/.test(shirts.title), shirts.title);
  ok(shirts.main_images.length >= 4, `images of the shirts: ${shirts.main_images.length}`);
  same([Number(shirts.package_weight.value), shirts.package_weight.unit].join(), shirts.package_weight.unit === 'GRAM' ? '220,GRAM' : '0.22,KILOGRAM', 'weight');
  ok(['25', '26'].includes(shirts.package_dimensions.width), `25.4 cm is ${shirts.package_dimensions.width}`);
  same({ ...shirts.package_dimensions, width: 0 }, { length: '30', width: 0, height: '4', unit: 'CENTIMETER' }, 'size');
  const codes = Object.fromEntries(shirts.skus.map((s) => [s.seller_sku, s.identifier_code?.code.replace(/^0+/, '') ?? null]));
  same(codes, Object.fromEntries(shirts.skus.map((s) => [s.seller_sku, { 1001: '7896000120106', 1002: '7896000120205', 1003: null, 1004: '7896000120304' }[s.seller_sku]])), 'GTINs');
  for (const s of shirts.skus) same(s.sales_attributes.length, 2, `attributes of ${s.seller_sku}`);
  same(held('1011').skus.map((s) => s.sales_attributes.length), [1, 1], 'size only');
  same(Number(held('1043').package_weight.value) * (held('1043').package_weight.unit === 'GRAM' ? 1 : 1000), 350, 'weight of the policy');
  same(held('1043').package_dimensions, { length: '21', width: '16', height: '11', unit: 'CENTIMETER' }, 'size of the policy');
  const oz = held('1021').package_weight;
  ok([226.7, 227, 226, 226.8, 226.796].includes(Math.round(Number(oz.value) * (oz.unit === 'GRAM' ? 1 : 1000) * 1000) / 1000), `8 oz is ${JSON.stringify(oz)}`);
  same([held('1041').brand_id, held('1042').brand_id, held('1043').brand_id, held('1044').brand_id], ['7000001', undefined, undefined, undefined], 'brands: known, unknown, T1, unavailable');
  same(held('1043').skus[0].identifier_code.code, '17896000120103', 'GTIN-14');
  same(held('1044').skus[0].identifier_code, undefined, 'a broken GTIN');
  same(held('1045').description.includes('primeira'), true, 'the first of two equal ids');
  same(held('1056').main_images.length, 1, 'bad images are left out');
  same([held('1001').category_id, held('1043').category_id, held('1052').category_id], [CAT.shirt, CAT.mug, CAT.sized], 'categories');
  const b2 = skusIn('7000000000000000202')['B-2'][2];
  same([b2.title, plain(b2.description)], ['Caneca dois', 'Resumo dois'], 'Atom fields');
  same(skusIn('7000000000000000202')['B-1'][2].title, 'Caneca um', 'g:title over title');
  same(skusIn('7000000000000000202')['B-1'][3].inventory[0].warehouse_id, '70000000000000002022', 'the warehouse of the settings');
  same(held('1001').skus[0].inventory[0].warehouse_id, '70000000000000001011', "the shop's default warehouse");
});

await test('what cannot be listed says why', () => {
  for (const [h, id, status, word] of [[A, 'P14_1049', 'rejected', /Proibido/], [A, 'P15_1050', null, /categor/i], [A, 'P16_1051', null, /categor/i],
    [A, 'P18_1054', null, /Voltagem/], [B, 'B-6', null, /currency|moeda|price/i], [B, 'B-7', null, /price|preço/i], [B, 'B-11', null, /price|preço/i], [B, 'B-12', null, /image|imagem/i], [C, 'REF-X', null, /VTEX|sku/i]]) {
    const p = catalog[h][id] ?? catalog[h][id.split('_')[1]];
    ok(p, `${id} is listed: ${Object.keys(catalog[h])}`);
    ok(p.status !== 'live', `${id} is ${p.status}`);
    if (status) same(p.status, status, id);
    ok(p.problems.some((x) => x.code && word.test(`${x.message} ${x.code} ${x.field}`)), `${id} (${p.status}) says ${JSON.stringify(p.problems)}`);
  }
  // What VTEX has no price for, or does not know, cannot be bought: with stock 0 at the most, and it says why.
  for (const [id, sku, word] of [['P10_1046', '1046', /price/i], ['P13_9999', '9999', /VTEX/]]) {
    ok(catalog[A][id].problems.some((x) => word.test(x.message)), `${id} says ${JSON.stringify(catalog[A][id].problems)}`);
    ok(!(skusIn('7000000000000000101')[sku]?.[1] > 0), `stock of ${sku}`);
  }
});

await test('no request broke a contract so far', () => w.noViolations());

await test('the same feeds again: nothing is written, nothing uploaded', async () => {
  const from = tiktok.calls.length;
  for (const h of [A, B, C]) {
    const r = await w.run(h);
    same([r.progress.created, r.progress.updated], [0, 0], `counters ${JSON.stringify(r.progress)}`);
  }
  same(w.writes(from).map((c) => `${c.name} ${c.path} ${JSON.stringify(c.json)?.slice(0, 200)}`), [], 'writes');
});
await test('each picture is uploaded once for each use', () => {
  const seen = new Map();
  for (const c of tiktok.calls) if (c.image && !c.failed) seen.set(c.image.hash + c.image.useCase, (seen.get(c.image.hash + c.image.useCase) ?? 0) + 1);
  const many = [...seen.values()].filter((n) => n > 3);
  same(many.length, 0, 'uploads of one picture beyond one a seller');
});

const replace = (id, change) => itemsA.map((i) => (i.id === id ? { ...i, ...change } : i));
await test('a price change goes by the price call alone', async () => {
  w.vtex.accounts.get('strictaa').skus[1001].price = 79.9;
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${A}/products/G1/publish`);
  await until('price', () => Number(skusIn('7000000000000000101')[1001][0]) === 88.9);
  same([...new Set(w.writes(from).map((c) => c.name))], ['update_price'], 'writes');
});
await test('a stock change goes by the inventory call alone', async () => {
  w.vtex.accounts.get('strictaa').skus[1002].stock = [['1_1', 30, 0]];
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${A}/products/G1/publish`);
  await until('stock', () => skusIn('7000000000000000101')[1002][1] === 22);
  same([...new Set(w.writes(from).map((c) => c.name))], ['update_inventory'], 'writes');
});
await test('a price that VTEX no longer has: stock 0, price untouched', async () => {
  delete w.vtex.accounts.get('strictaa').skus[1047].price;
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${A}/products/P11_1047/publish`);
  await until('stock 0', () => skusIn('7000000000000000101')[1047][1] === 0);
  await until('the problem shows', async () => (await w.must('GET', `/v1/clients/${A}/products/P11_1047`)).problems.some((x) => x.code === 'no_price'));
  same(skusIn('7000000000000000101')[1047][0].replace(/\.00$/, ''), '45', 'price');
  ok(!w.writes(from).some((c) => c.name === 'update_price'), 'no price call');
});

await test('price and stock of a SKU found by its RefId follow VTEX too', async () => {
  Object.assign(w.vtex.accounts.get('strictcc').skus[2001], { price: 0.7, stock: [['1_1', 8, 0]] });
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${C}/products/${'REF-A'}/publish`);
  await until('price and stock', () => JSON.stringify(skusIn('7000000000000000303')[2001].slice(0, 2)) === '["0.70",8]');
  same(w.writes(from).map((c) => c.name).sort(), ['update_inventory', 'update_price'], 'writes');
  const x = await until('explained', async () => { const r = await w.must('GET', `/v1/clients/${C}/skus/2001/explain`); return r.price.published === '0.70' && r; });
  same([x.price.result, x.stock.result], ['0.70', 8], JSON.stringify(x));
});

await test('a new title and a new description are one partial edit that goes to review; prices stay', async () => {
  const from = tiktok.calls.length;
  const changed = replace('P9_1045', { title: 'Camiseta dupla renovada', description: 'terceira' });
  changed.splice(changed.findLastIndex((i) => i.id === 'P9_1045'), 1);
  feed('a', rss('x', changed));
  const r = await w.run(A);
  same(r.progress.updated, 1, `updated (${JSON.stringify(r.progress)})`);
  await until('the new title is live', () => held('1045').title === 'Camiseta dupla renovada');
  const edits = w.writes(from);
  same(edits.map((c) => c.name).filter((n) => n !== 'upload_product_image'), ['partial_edit_product'], 'writes');
  same(Object.keys(edits.at(-1).json).filter((k) => ['price', 'inventory'].includes(k)), [], 'no price in the edit');
  await until('status live', async () => (await w.must('GET', `/v1/clients/${A}/products/P9_1045`).catch(() => w.must('GET', `/v1/clients/${A}/products/1045`))).status === 'live');
  itemsA.splice(0, itemsA.length, ...changed);
});

await test('a new variant: the list stays complete and keeps price and stock of the others', async () => {
  w.vtex.accounts.get('strictaa').skus[1013] = { price: 10, stock: [['1_1', 100, 0]] };
  const more = [...itemsA, { ...itemsA.find((i) => i.id === 'G2_1011'), id: 'G2_1013', title: 'Camiseta Size G', size: 'G' }];
  feed('a', rss('x', more));
  const ids = held('1011').skus.map((s) => s.id).sort();
  await w.run(A);
  await until('three sizes', () => held('1011').skus.length === 3);
  same(held('1011').skus.map((s) => s.id).filter((id) => ids.includes(id)).sort(), ids, 'old SKU ids');
  await until('the new SKU', () => { const s = skusIn('7000000000000000101')[1013]; return s && Number(s[0]) === 20 && s[1] === 50; });
  same(skusIn('7000000000000000101')[1011].slice(0, 2).map(Number), [55.5, 14], 'the others');
  itemsA.splice(0, itemsA.length, ...more);
});

await test('an edit that fails review leaves the product live and says so', async () => {
  feed('a', rss('x', replace('P8_1044', { title: 'Camiseta REPROVAR edição' })));
  await w.run(A);
  const p = await until('problem shows', async () => { const x = (await w.products(A)).find((y) => /1044/.test(y.source_id)); return x.problems.some((y) => /Proibido/.test(y.message)) && x; });
  same(held('1044').title, 'Camiseta com GTIN ruim', 'what buyers see');
  ok(['live', 'rejected'].includes(p.status), `status ${p.status}`);
  itemsA.splice(0, itemsA.length, ...replace('P8_1044', { title: 'Camiseta REPROVAR edição' }));
});

await test('a mapped category with its attributes releases what asked for them', async () => {
  await w.must('PUT', `/v1/clients/${A}/taxonomy`, { source_category: 'Elétricos', tiktok_category_id: CAT.asks, attributes: { 100201: { value_id: '220' }, 100202: { value: '1200' } } }).catch(async (e) => {
    await w.must('PUT', `/v1/clients/${A}/taxonomy/${encodeURIComponent('Elétricos')}`, { tiktok_category_id: CAT.asks, attributes: { 100201: { value_id: '220' }, 100202: { value_name: '1200' } } }).catch((f) => { throw new Error(`${e.message} / ${f.message}`); });
  });
  await w.run(A);
  await until('it is live', () => held('1054')?.status === 'ACTIVATE');
  const values = Object.fromEntries(held('1054').product_attributes.map((a) => [a.id, a.values[0].id ?? a.values[0].name]));
  same(values, { 100201: '220', 100202: '1200' }, 'attributes');
});

await test('reviews that no webhook tells of are found by asking', async () => {
  tiktok.reviews = 'poll';
  feed('a', rss('x', [...itemsA, { ...itemsA.find((i) => i.id === 'P9_1045'), id: 'P30_1045b', title: 'Camiseta muda', color: undefined }]));
  w.vtex.accounts.get('strictaa').skus['1060'] = { price: 40, stock: [['1_1', 12, 0]] };
  feed('a', rss('x', [...itemsA, { ...itemsA.find((i) => i.id === 'P9_1045'), id: 'P30_1060', title: 'Camiseta muda' }]));
  await w.run(A);
  w.sql("UPDATE jobs SET due_at = now() WHERE kind = 'product_audit'");
  await until('live without webhook', async () => (await w.products(A)).find((p) => /1060/.test(p.source_id))?.status === 'live', 15000);
  tiktok.reviews = 'webhook';
});

await test('an expired token in a batch is refreshed once; both tokens are stored', async () => {
  const seller = tiktok.sellers.get('seller-b');
  for (const g of seller.grants) g.expired = true;
  const items = merchantB(img).map((i) => ({ ...i, ...(i.title ? { title: `${i.title} nova` } : {}) }));
  feed('b', atom('goog', items));
  await w.run(B);
  await until('titles', () => skusIn('7000000000000000202')['B-5'][2].title === 'Caneca cinco nova');
  same(seller.refreshed, 1, 'refreshes');
  for (const g of seller.grants) g.expired = true;
});

await test('an answer that was lost after the create makes no second product', async () => {
  tiktok.faults = [{ operation: 'create_product', kind: 'done-then-cut', left: 1 }];
  w.vtex.accounts.get('strictcc').skus[2003] = { ref: 'REF-N', price: 12, stock: [['1_1', 4, 1]] };
  feed('c', merchantC(img).replace('REF-X', 'REF-N'));
  await w.run(C);
  // The review's webhook may have come while nobody knew the product: the poll, due in half a minute, heals it.
  w.sql("UPDATE jobs SET due_at = now() WHERE kind = 'product_audit'");
  await until('live', async () => (await w.products(C)).find((p) => p.source_id === 'REF-N')?.status === 'live', 30000);
  same(of('7000000000000000303').filter((p) => p.skus.some((s) => s.seller_sku === '2003')).length, 1, 'products');
});

await test('webhooks of every topic are answered 200 with nothing and stored', async () => {
  const topics = JSON.parse(readFileSync(new URL('../contract/tiktok-webhooks.json', import.meta.url), 'utf8')).webhooks;
  let n = 0;
  for (const t of topics) {
    for (const sample of t.samples) {
      if ([6].includes(t.type)) continue;
      const r = await w.rawHook(JSON.stringify({ ...sample, shop_id: n % 2 ? Number('7000000000000000') : '7000000000000000101', tts_notification_id: `topic-${++n}`, surprise: { x: 1.5 } }));
      same([r.status, r.text], [200, ''], `topic ${t.type}`);
    }
  }
  for (const [what, raw] of [['unknown topic', '{"type":777,"shop_id":"1","timestamp":1,"data":{}}'], ['no JSON', 'not json'], ['deep', '['.repeat(200)], ['big numbers', '{"type":1,"shop_id":99999999999999999999999,"timestamp":1,"data":{"order_id":576486316948490001999}}'], ['empty', '']]) {
    const r = await w.rawHook(raw);
    same([r.status, r.text], [200, ''], what);
  }
  const stored = Number(w.sql("SELECT count(*) FROM events WHERE encode(body, 'escape') LIKE '%topic-%'"));
  ok(stored >= n, `stored ${stored} of ${n}`);
  for (const sign of ['', 'A'.repeat(64), '0'.repeat(64), `Bearer ${'0'.repeat(64)}`, '0'.repeat(63)]) same([(await w.rawHook('{}', { sign })).status, (await w.rawHook('{}', { sign })).text], [401, ''], `signature ${sign}`);
});

function rawRequest(text, ms = 3000) {
  return new Promise((done) => {
    const s = dial(w.publicPort, '127.0.0.1', () => s.write(text));
    let got = '';
    s.on('data', (d) => { got += d.toString('latin1'); });
    s.on('close', () => done({ got, closed: true }));
    s.on('error', () => done({ got, closed: true }));
    setTimeout(() => { done({ got, closed: false }); s.destroy(); }, ms);
  });
}
await test('bad requests at the socket get what the table says', async () => {
  const host = `Host: 127.0.0.1:${w.publicPort}\r\n`;
  const post = (h, body = '') => `POST /tiktok/webhook HTTP/1.1\r\n${h}\r\n${body}`;
  const rows = [
    ['two lengths', post(`${host}Content-Length: 2\r\nContent-Length: 3\r\n`, '{}'), 400], ['length and chunked', post(`${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n`, '{}'), 400],
    ['gzip coding', post(`${host}Transfer-Encoding: gzip\r\n`, '{}'), 400], ['two hosts', post(`${host}${host}Content-Length: 2\r\n`, '{}'), 400],
    ['two signatures', post(`${host}Authorization: ${'0'.repeat(64)}\r\nAuthorization: ${'1'.repeat(64)}\r\nContent-Length: 2\r\n`, '{}'), 400], ['bad header name', post(`${host}Bad Name: x\r\nContent-Length: 2\r\n`, '{}'), 400],
    ['control byte', post(`${host}X-A: a\u0001b\r\nContent-Length: 2\r\n`, '{}'), 400], ['too large', post(`${host}Authorization: ${'0'.repeat(64)}\r\nContent-Length: 1048577\r\n`, ''), 413]];
  for (const [what, text, status] of rows) {
    const { got, closed } = await rawRequest(text);
    same(Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]), status, what);
    ok(closed, `${what}: connection closed`);
    same((got.match(/HTTP\/1\.1 /g) ?? []).length, 1, `${what}: answers`);
  }
  for (const path of ['/tiktok/webhook%00', '/tiktok%2fwebhook', '/tiktok/../tiktok/webhook', '//tiktok/webhook', '/tiktok/webhook;x', '/tiktok\\webhook', '/tiktok/webhook/']) {
    const { got } = await rawRequest(`POST ${path} HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: 2\r\n\r\n{}`);
    same(Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]), 404, path);
  }
  const { got } = await rawRequest(`GET /tiktok/webhook HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
  ok(/^HTTP\/1\.1 405/.test(got) && /\r\nallow: *POST/i.test(got), `GET: ${got.slice(0, 200)}`);
});

await test('a withdrawn authorization wipes the tokens of its shop only', async () => {
  const r = await w.hook('7000000000000000101', 6, '{"message":"Shop_id {xxx} is deauthorized from your APP by merchant."}');
  same([r.status, r.text], [200, ''], 'answer');
  await until('shop shows it', async () => (await w.must('GET', `/v1/clients/${A}/shops`)).items[0].status !== 'connected');
  same((await w.must('GET', `/v1/clients/${B}/shops`)).items[0].status, 'connected', 'B');
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
