// Categories: the tree of the shop, mappings that inherit, proposals that wait for a person, and rules that change
// while products are live. TikTok Shop is the strict one.
import { end, ok, request, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { CAT, furnish, rss } from '../strict/merchant.mjs';

const H = 'taxonomy-loja';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-t', ['7000000000000000801']);
w.merchant.files.set('/i.png', { type: 'image/png', body: png(400, 400, 3) });
const base = { link: 'https://loja.example/p', availability: 'in_stock', condition: 'new', price: '50.00 BRL', inventory: '4', image_link: `${w.merchant.url}/i.png`, shipping_weight: '300 g' };
const shirt = { ...base, id: 'T-1', title: 'Camiseta de verão', description: 'Leve', product_type: 'Moda > Camisetas > Verão' };
const mug = { ...base, id: 'T-2', title: 'Caneca azul', description: 'Louça', product_type: 'Casa > Canecas' };
const shot = { ...base, id: 'T-3', title: 'Copo sem mapa', description: 'Vidro', product_type: 'Casa > Copos' };
const feed = (...items) => w.merchant.files.set('/f.xml', { body: rss('g', items) });
const put = (source, id, attributes) => w.api('PUT', `/v1/clients/${H}/taxonomy`, { source_category: source, tiktok_category_id: id, ...(attributes ? { attributes } : {}) });
const product = async (id) => (await w.products(H)).find((p) => p.source_id === id);
const codes = (p) => p.problems.map((x) => x.code);
const writes = (id) => w.writes().filter((c) => /edit|create/.test(c.name) && (!id || c.json?.external_product_id === id || c.path.includes(id))).length;

feed(shirt, mug);
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja T', tik_tok_shop_feed_link: `${w.merchant.url}/f.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });

await test('the tree of a connected shop is read by itself', async () => {
  await w.connect(H, 'seller-t');
  await until('tree', () => w.sql('SELECT count(*) FROM shops WHERE categories_at IS NOT NULL') === '1');
  same(w.sql('SELECT count(*) FROM tiktok_category_tree'), String(tiktok.categories.length), 'categories');
  same(w.sql(`SELECT path FROM tiktok_category_tree WHERE category_id = '${CAT.shirt}'`), 'Moda > Camisetas', 'path');
});

await test('only an available leaf of the tree can be mapped', async () => {
  for (const [id, words] of [[CAT.parent, /Moda.*leaf/], [CAT.banned, /Armas.*PROHIBITED/], ['999', /no category/]]) {
    const r = await put('Moda', id);
    same(r.status, 400, id);
    same(r.json.errors[0].field, 'tiktok_category_id', 'field');
    ok(words.test(r.json.errors[0].message), r.json.errors[0].message);
  }
  const r = await put('Moda > Camisetas', CAT.shirt);
  same(r.status, 200, r.text);
  same(r.json.tiktok_category_path, 'Moda > Camisetas', 'path');
});

await test('a product takes the mapping of its nearest ancestor; a proposal is marked as one', async () => {
  await w.run(H);
  await w.settled(H);
  const p = await product('T-1');
  same([p.status, p.category.tiktok_category_id, p.category.chosen_by], ['live', CAT.shirt, 'mapping'], 'T-1');
  const q = await product('T-2');
  same([q.status, q.category.tiktok_category_id, q.category.chosen_by], ['live', CAT.mug, 'recommendation'], 'T-2');
  const all = (await w.must('GET', `/v1/clients/${H}/taxonomy`)).items;
  same(all.map((x) => [x.source_category, x.chosen_by]), [['Casa > Canecas', 'recommendation'], ['Moda > Camisetas', 'mapping']], 'taxonomy');
});

await test('a category that is closed later stops the product with a reason, and lets it go on when it opens', async () => {
  const c = tiktok.categories.find((x) => x.id === CAT.shirt);
  const before = writes();
  c.permission_statuses = ['INVITE_ONLY', 'NON_MAIN_CATEGORY'];
  const run = await w.run(H, 'categories');
  same([run.status, run.progress.total, run.progress.done, run.progress.updated], ['succeeded', 3, 3, 1], 'run');
  const p = await until('problem', async () => { const x = await product('T-1'); return codes(x).includes('category_unusable') && x; });
  same(p.status, 'live', 'the listing stays');
  ok(/Moda > Camisetas.*INVITE_ONLY,NON_MAIN_CATEGORY/.test(p.problems[0].message), p.problems[0].message);
  ok(/não pode anunciar/.test(p.problems[0].message_pt), p.problems[0].message_pt);
  c.permission_statuses = ['AVAILABLE'];
  await w.run(H, 'categories');
  await until('no problem', async () => codes(await product('T-1')).length === 0);
  same(writes(), before, 'nothing was sent');
});

await test('rules that change are checked against live products, which stay on sale', async () => {
  const before = writes();
  tiktok.attributes[CAT.mug] = [{ id: '100301', name: 'Tipo de louça', type: 'PRODUCT_PROPERTY', is_requried: true, is_customizable: false, is_multiple_selection: false,
    values: Array.from({ length: 30 }, (_, i) => ({ id: String(900 + i), name: `Louça ${i}` })) }];
  const run = await w.run(H, 'categories');
  same([run.status, run.progress.updated, run.progress.unchanged], ['succeeded', 1, 2], 'run');
  const p = await until('problem', async () => { const x = await product('T-2'); return codes(x).includes('missing_attribute') && x; });
  same(p.status, 'live', 'the listing stays');
  ok(/Tipo de louça.*São aceitos: "Louça 0", "Louça 1".*\(\+18\)/.test(p.problems[0].message_pt), p.problems[0].message_pt);
  same(writes(), before, 'nothing was sent');
  same((await w.run(H, 'categories')).progress.updated, 0, 'the same rules again');
});

await test('a fixed value of a mapping mends it and is sent', async () => {
  const r = await put('Casa > Canecas', CAT.mug, { 100301: { value_id: '907' } });
  same([r.status, r.json.chosen_by], [200, 'mapping'], 'confirmed');
  await until('mended', async () => codes(await product('T-2')).length === 0);
  await until('attributes', () => JSON.stringify([...tiktok.products.values()].find((x) => x.title === 'Caneca azul').product_attributes) === '[{"id":"100301","values":[{"id":"907"}]}]');
});

await test('a fixed value that TikTok drops is said with those it takes, and mended by the mapping', async () => {
  const all = tiktok.attributes[CAT.mug][0].values;
  const before = writes();
  tiktok.attributes[CAT.mug][0].values = all.filter((v) => v.id !== '907');
  same((await w.run(H, 'categories')).progress.updated, 1, 'rules');
  const p = await until('problem', async () => { const x = await product('T-2'); return codes(x).includes('fixed_value_unknown') && x; });
  same([p.status, p.problems[0].field, writes() - before], ['live', 'Tipo de louça', 0], 'the listing stays');
  ok(/A taxonomia fixa "Tipo de louça".*"Louça 0".*\(\+17\)/.test(p.problems[0].message_pt), p.problems[0].message_pt);
  same((await put('Casa > Canecas', CAT.mug, { 100301: { value_id: '908' } })).status, 200, 'mapping');
  await until('mended', async () => codes(await product('T-2')).length === 0);
  await until('sent', () => JSON.stringify([...tiktok.products.values()].find((x) => x.title === 'Caneca azul').product_attributes).includes('908'));
});

await test('without trust in proposals a product waits and names the proposal; confirming it sends the product', async () => {
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { category: { accept_recommendation: false } } });
  tiktok.attributes[CAT.mug] = [];
  same((await w.run(H, 'categories')).progress.updated, 1, 'rules');
  feed(shirt, mug, shot);
  await w.run(H);
  const p = await until('waits', async () => { const x = await product('T-3'); return codes(x ?? { problems: [] }).includes('category_proposed') && x; });
  same([p.status, p.category.chosen_by], ['waiting', 'none'], 'T-3');
  ok(/Casa > Canecas.*Casa > Copos/.test(p.problems[0].message), p.problems[0].message);
  const m = await w.must('GET', `/v1/clients/${H}/taxonomy/${encodeURIComponent('Casa > Copos')}`);
  same([m.tiktok_category_id, m.chosen_by], [CAT.mug, 'recommendation'], 'proposal');
  const asked = tiktok.calls.filter((c) => c.name === 'recommend_category').length;
  await w.must('POST', `/v1/clients/${H}/products/T-3/publish`);
  await until('asked again', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'") === '0');
  same(tiktok.calls.filter((c) => c.name === 'recommend_category').length, asked, 'the proposal is remembered');
  same((await put('Casa > Copos', m.tiktok_category_id)).status, 200, 'confirm');
  await until('live', async () => (await product('T-3')).status === 'live');
});

const csv = (path, text, type = 'text/csv; charset=utf-8') => request('POST', `${w.url}/v1/clients/${H}/taxonomy/import${path}`,
  { body: text, headers: { authorization: 'Bearer sync-token-0123456789', 'content-type': type } });

await test('a table comes in with an error per line, and goes out safe for a spreadsheet', async () => {
  const table = `\uFEFFsource_category;tiktok_category_id;attributes\r\n"Moda > ""Verão""; praia";${CAT.shirt};\r\nCasa;${CAT.nodes};\r\n'=Fórmula;${CAT.mug};"{""1"":{""value_id"":""2""}}"\r\nX;abc;\r\nY;${CAT.mug};[1]\r\n"Z;${CAT.mug}`;
  const dry = await csv('?dry_run=true', table);
  same([dry.status, dry.json.dry_run, dry.json.lines, dry.json.applied, dry.json.wrong], [200, true, 6, 2, 4], dry.text);
  same(dry.json.errors.map((x) => [x.line, x.field]), [[3, 'tiktok_category_id'], [5, 'tiktok_category_id'], [6, 'attributes'], [7, null]], 'errors');
  const rows = () => w.sql('SELECT count(*) FROM taxonomy_tiktok');
  const before = rows();
  const real = await csv('', table);
  same([real.json.applied, real.json.wrong, rows()], [2, 4, String(Number(before) + 2)], real.text);
  same([(await csv('', table)).json.applied, rows()], [0, String(Number(before) + 2)], 'again');
  const out = await w.api('GET', `/v1/clients/${H}/taxonomy?format=csv&separator=semicolon`);
  ok(/^text\/csv/.test(out.headers['content-type']), out.headers['content-type']);
  ok(out.text.includes('\r\n"\'=Fórmula";') && out.text.includes('"Moda > ""Verão""; praia";'), out.text);
  const back = await csv('', out.text);
  same([back.json.applied, back.json.wrong, back.json.unchanged], [0, 0, Number(before) + 2], back.text);
  same((await csv('', table, 'application/json')).status, 415, 'type');
  same((await csv('', 'a,b\n1,2')).status, 400, 'columns');
  same((await csv('', `source_category,tiktok_category_id\n${'x'.repeat(1 << 20)}`)).status, 413, 'size');
});

await test('products of an imported mapping are published again; an exported proposal is not confirmed', async () => {
  tiktok.edit_product = ({ json, args }) => { // a new category is a whole edit
    const p = tiktok.products.get(args.product_id);
    p.category_id = json.category_id;
    return tiktok.answer(0, 'Success', { product_id: p.id, skus: p.skus.map((x) => ({ id: x.id, seller_sku: x.seller_sku, external_sku_id: x.external_sku_id })), warnings: [] });
  };
  const before = w.sql("SELECT chosen_by FROM taxonomy_tiktok WHERE source_category = 'Casa > Copos'");
  same(before, 'mapping', 'confirmed above');
  same((await csv('', `source_category,tiktok_category_id,chosen_by\nCasa > Copos,${CAT.shirt},recommendation\n`)).json.skipped, 1, 'skipped');
  same((await csv('', `source_category,tiktok_category_id\nCasa > Copos,${CAT.shirt}\n`)).json.applied, 1, 'applied');
  await until('sent', async () => (await product('T-3')).category.tiktok_category_id === CAT.shirt);
  await until('on TikTok', () => [...tiktok.products.values()].find((x) => x.title === 'Copo sem mapa').category_id === CAT.shirt);
});

const onTikTok = (title) => [...tiktok.products.values()].find((x) => x.title === title);
const moved = async (title, to) => { // by a person in Seller Center, and told by topic 18
  const p = onTikTok(title);
  const was = p.category_id;
  p.category_id = to;
  await w.hook('7000000000000000801', 18, `{"product_id":"${p.id}","previous_category_id":"${was}","current_category_id":"${to}","update_time":${Math.floor(Date.now() / 1000)}}`);
  return p;
};

await test('a category that a person chose in Seller Center stays where nothing is mapped, also without trust in proposals', async () => {
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { category: { accept_recommendation: true } } });
  const free = { ...base, id: 'T-4', title: 'Copo de festa', description: 'Papel', product_type: 'Festa > Copos' };
  feed(shirt, mug, shot, free);
  await w.run(H);
  await until('live', async () => (await product('T-4'))?.status === 'live');
  same((await product('T-4')).category.chosen_by, 'recommendation', 'before');
  await moved('Copo de festa', CAT.shirt);
  const p = await until('followed', async () => { const x = await product('T-4'); return x.category.chosen_by === 'operator' && x; });
  same([p.category.tiktok_category_id, codes(p).includes('changed_on_tiktok')], [CAT.shirt, false], 'T-4');
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { category: { accept_recommendation: false } } });
  const before = writes();
  await w.must('POST', `/v1/clients/${H}/products/T-4/publish`);
  await until('looked at', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'") === '0');
  same([writes() - before, onTikTok('Copo de festa').category_id, codes(await product('T-4')).includes('category_proposed')], [0, CAT.shirt, false], 'stays');
});

await test('against a mapping it is said, and the next publication puts the mapping back', async () => {
  await moved('Caneca azul', CAT.shirt);
  const p = await until('said', async () => { const x = await product('T-2'); return codes(x).includes('changed_on_tiktok') && x; });
  same([p.category.tiktok_category_id, p.category.chosen_by, p.problems.find((x) => x.code === 'changed_on_tiktok').field, onTikTok('Caneca azul').category_id], [CAT.mug, 'mapping', 'category_id', CAT.shirt], 'T-2');
  await w.must('POST', `/v1/clients/${H}/products/T-2/publish`);
  await until('put back', () => onTikTok('Caneca azul').category_id === CAT.mug);
  await until('no word of it', async () => !codes(await product('T-2')).includes('changed_on_tiktok'));
});

await test('no request broke a contract', () => w.noViolations());
await end();
