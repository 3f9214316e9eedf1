// Brands of VTEX find their TikTok brand, get one made where the merchant wants that, and follow a person's choice.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-marcas';
const SHOP = '7000000000000000707';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-brands', [SHOP]);
const account = w.vtex.account('strictbrands', { sc: '7', skus: {}, warehouses: [] });
account.brands = [{ id: 1, name: 'AURORA' }, { id: 2, name: 'Zébra & Cia' }, { id: 3, name: 'Famosa' }, { id: 4, name: 'Oficina da Ana' }, { id: 5, name: 'Marca 12345' }, { id: 6, name: 'Escondida', isActive: false },
  ...Array.from({ length: 120 }, (_, i) => ({ id: 100 + i, name: `Sem uso ${String.fromCharCode(65 + (i % 26))}${'abcdef'[Math.floor(i / 26)]}` }))];
w.merchant.files.set('/i.png', { type: 'image/png', body: png(400, 400, 1) });
const used = ['Aurora', 'ZEBRA & CIA', 'Famosa', 'Oficina da Ana', 'Marca 12345'];
const items = used.map((brand, i) => ({ id: `B${i}`, title: `Caneca número ${i} esmaltada`, description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/i.png`, availability: 'in stock', price: '50.00 BRL', inventory: '10',
  product_type: 'Casa > Canecas', brand, shipping_weight: '300 g', shipping_length: '10 cm', shipping_width: '10 cm', shipping_height: '10 cm' }));
w.merchant.files.set('/feed.xml', { body: rss('g', items) });
const client = (when_unknown) => w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Marcas', tik_tok_shop_feed_link: `${w.merchant.url}/feed.xml`,
  vtex: { account: 'strictbrands', app_key: account.key, app_token: account.token, sales_channel: '7', affiliate_id: 'TTK' },
  policies: { price: { source: 'feed' }, stock: { source: 'feed' }, brand: { when_unknown } } });
await client('omit');
await w.connect(H, 'seller-brands');

const brand = async (name) => (await w.must('GET', `/v1/clients/${H}/brands?q=${encodeURIComponent(name)}`)).items.find((b) => b.name === name);
const listed = (sku) => [...tiktok.products.values()].find((p) => p.shop === SHOP && p.skus.some((s) => s.seller_sku === sku));
const made = () => tiktok.calls.filter((c) => c.name === 'create_custom_brands').length;

await test('brands of VTEX are stored and matched without case and accents; no brand is made', async () => {
  const run = await w.run(H, 'brands');
  same([run.status, run.kind, run.progress.total, run.progress.done, run.progress.failed], ['succeeded', 'brands', 125, 125, 0], JSON.stringify(run));
  same([(await brand('AURORA')).tiktok_brand_id, (await brand('AURORA')).authorized, (await brand('AURORA')).vtex_brand_id], ['7000001', 'AUTHORIZED', '1'], 'Aurora');
  same([(await brand('Zébra & Cia')).tiktok_brand_id, (await brand('Zébra & Cia')).authorized, (await brand('Zébra & Cia')).chosen_by], ['7000005', 'UNAUTHORIZED', 'match'], 'Zebra');
  same((await brand('Famosa')).tiktok_brand_id, null, 'a T1 brand without authorization');
  same(await brand('Escondida'), undefined, 'an inactive brand');
  same(made(), 0, 'custom brands');
  const pages = [];
  for (let next = `/v1/clients/${H}/brands?limit=50`; next;) { const page = await w.must('GET', next); pages.push(page.items.length); next = page.next && (page.next.startsWith('/') ? page.next : `/v1/clients/${H}/brands?limit=50&cursor=${encodeURIComponent(page.next)}`); }
  same(pages, [50, 50, 25], 'pages');
});

await test('products go out with their brand, those without one go without', async () => {
  const run = await w.run(H);
  same(run.status, 'succeeded', JSON.stringify(run));
  await until('all are live', async () => (await w.products(H)).every((p) => p.status === 'live'));
  same(used.map((_, i) => listed(`B${i}`).brand_id ?? null), ['7000001', '7000005', null, null, null], 'brands on TikTok');
});

await test('with the policy "create" a brand in use is made once, one that TikTok refuses says why', async () => {
  await client('create');
  const run = await w.run(H, 'brands');
  same([run.status, run.progress.created, run.progress.held], ['succeeded', 2, 1], JSON.stringify(run));
  same(tiktok.customBrands.map((b) => b.name).sort(), ['Famosa', 'Oficina da Ana'], 'custom brands');
  const ana = await brand('Oficina da Ana');
  same([ana.chosen_by, ana.custom, ana.tiktok_brand_id], ['created', true, tiktok.customBrands.find((b) => b.name === ana.name).id], 'made');
  same((await brand('Marca 12345')).problem.code, 'custom_brand_name', 'problem');
  await until('the product has it', () => listed('B3').brand_id === ana.tiktok_brand_id);
  await w.run(H, 'brands');
  same(made(), 2, 'made again');
});

await test('a person chooses; the product follows and the next run keeps it', async () => {
  same((await w.api('PUT', `/v1/clients/${H}/brands/${encodeURIComponent('Oficina da Ana')}`, { tiktok_brand_id: 'x' })).status, 400, 'no id');
  same((await w.api('PUT', `/v1/clients/${H}/brands/Nenhuma`, { tiktok_brand_id: '7000001' })).status, 404, 'unknown brand');
  same((await w.must('PUT', `/v1/clients/${H}/brands/${encodeURIComponent('Oficina da Ana')}`, { tiktok_brand_id: '7000002' })).chosen_by, 'operator', 'chosen by');
  await until('the product has it', () => listed('B3').brand_id === '7000002');
  await w.run(H, 'brands');
  same((await brand('Oficina da Ana')).tiktok_brand_id, '7000002', 'after a run');
});

await test('a brand that a person leaves out is taken away by a whole edit that keeps the rest', async () => {
  tiktok.wholeEdits = true;
  const before = structuredClone(listed('B0'));
  same((await w.must('PUT', `/v1/clients/${H}/brands/AURORA`, { tiktok_brand_id: null })).tiktok_brand_id, null, 'link');
  await until('the product is without', () => listed('B0').brand_id === undefined);
  tiktok.wholeEdits = false;
  const after = listed('B0');
  for (const k of ['title', 'description', 'category_id', 'main_images', 'package_weight', 'package_dimensions']) same(after[k], before[k], k);
  same(after.skus.map((s) => [s.id, s.seller_sku, s.price, s.inventory]), before.skus.map((s) => [s.id, s.seller_sku, s.price, s.inventory]), 'SKUs');
});

await test('the limits of a day and in all are kept', async () => {
  w.sql(`INSERT INTO tiktok_brands (client_id, name_key, name, custom_created_at) SELECT '${H}', 'feito ' || i, 'Feito ' || i, now() - interval '1 hour' FROM generate_series(1, 48) i`);
  items[4].brand = 'Ateliê do Zé';
  w.merchant.files.set('/feed.xml', { body: rss('g', items) });
  const before = made();
  await w.run(H);
  const one = await until('it is stored', () => brand('Ateliê do Zé'));
  same([one.problem?.code, made() - before], ['custom_brand_limit_today', 0], 'limit of a day');
  w.sql(`UPDATE tiktok_brands SET custom_created_at = now() - interval '2 days' WHERE client_id = '${H}'`);
  await w.run(H, 'brands');
  ok((await brand('Ateliê do Zé')).custom, 'made the next day');
});

await test('with the policy "hold" a product whose brand is unknown waits and says so', async () => {
  await client('hold');
  items.push({ ...items[0], id: 'B9', title: 'Caneca número nove esmaltada', brand: 'Nunca Vista' });
  w.merchant.files.set('/feed.xml', { body: rss('g', items) });
  await w.run(H);
  const p = await w.must('GET', `/v1/clients/${H}/products/B9`);
  same([p.status, p.problems[0]?.code], ['rejected', 'brand_unknown'], JSON.stringify(p.problems));
  ok(p.problems[0].message_pt.includes('Nunca Vista'), 'in Portuguese');
});

await test('no request broke a contract', () => w.noViolations());
await end();
