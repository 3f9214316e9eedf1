// Pictures from both sources, of every quality, judged by the strict platforms: VTEX's further ones, variants, texts,
// files that break a limit or are no pictures at all.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Process, SANITIZER, end, ok, request, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-imagens';
const SHOP = '7000000000000000909';
const w = await World.start();
const { tiktok, merchant } = w;
furnish(tiktok);
tiktok.addSeller('seller-i', [SHOP]);

let seed = 0;
const put = (path, body, more = {}) => { merchant.files.set(path, { type: 'image/png', body, ...more }); return merchant.url + path; };
const img = (path, width = 400, height = 400) => put(path, png(width, height, ++seed));
const hits = (path) => merchant.hits.filter((h) => h.url.split('?')[0] === path).length;

// A GIF of one colour: codes of eight bits, each a pixel, the table cleared before it grows.
function gif(width, height) {
  const codes = [];
  for (let i = 0; i < width * height; i++) { if (i % 120 === 0) codes.push(128); codes.push(i % 5 === 0 ? 1 : 2); }
  codes.push(129);
  const blocks = [];
  for (let i = 0; i < codes.length; i += 255) { const part = codes.slice(i, i + 255); blocks.push(Buffer.from([part.length, ...part])); }
  const head = Buffer.from('GIF89a\0\0\0\0\xf6\0\0', 'latin1');
  head.writeUInt16LE(width, 6); head.writeUInt16LE(height, 8);
  const table = Buffer.alloc(128 * 3, 90);
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  frame.writeUInt16LE(width, 5); frame.writeUInt16LE(height, 7);
  return Buffer.concat([head, table, frame, ...blocks, Buffer.from([0, 0x3b])]);
}

// A few hundred bytes that promise any number of pixels.
function bomb(width, height) {
  const whole = png(10, 10, 7);
  const head = Buffer.from(whole);
  head.writeUInt32BE(width, 16); head.writeUInt32BE(height, 20);
  return head;
}

w.vtex.account('strictimg', { sc: '7', warehouses: [{ id: '1_1', dock: 'd1' }], skus: {
  11: { price: 10, stock: [['1_1', 5, 0]], files: [
    { url: `${merchant.url}/arquivos/ids/503-55-55/depois.png`, position: 2 },
    { url: img('/arquivos/ids/502/costas.png').replace('/502/', '/502-500-auto/'), position: 1 },
    { url: `${merchant.url}/arquivos/ids/501-55-55/outro-nome.png`, position: 0, main: true }] },
  12: { price: 10, stock: [['1_1', 5, 0]], files: Array.from({ length: 14 }, (_, i) => ({ url: img(`/arquivos/ids/${600 + i}/x.png`), position: 13 - i })) },
  13: { price: 10, stock: [['1_1', 5, 0]], files: [{ url: img('/arquivos/ids/701/azul.png'), position: 0 }] },
  14: { price: 10, stock: [['1_1', 5, 0]], files: [{ url: img('/arquivos/ids/702/verde.png'), position: 0 }] },
  15: { price: 10, stock: [['1_1', 5, 0]] },
} });
img('/arquivos/ids/503/depois.png');
const front = img('/arquivos/ids/501/frente.png');

const base = { link: `${merchant.url}/p`, availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: 'Boa', brand: 'Aurora', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas', item_group_id: 'V' };
let items = [
  { ...base, id: '11', title: 'Caneca onze', image_link: `${front}?v=638` },
  { ...base, id: '12', title: 'Caneca doze', image_link: img('/img/12.png') },
  { ...shirt, id: '13', title: 'Camisa Azul', color: 'Azul' },
  { ...shirt, id: '14', title: 'Camisa Verde', color: 'Verde' },
  { ...base, id: '15', title: 'Caneca quinze', image_link: img('/img/15.png') },
];
const feed = () => { merchant.files.set('/i.xml', { body: rss('zz', items) }); };
feed();
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Imagens', tik_tok_shop_feed_link: `${merchant.url}/i.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } },
  vtex: { account: 'strictimg', app_key: 'vtexappkey-strictimg-STRICT', app_token: 'token-of-strictimg', sales_channel: '7', affiliate_id: 'TTK' } });
await w.connect(H, 'seller-i');

const find = (sku) => [...tiktok.products.values()].find((p) => p.shop === SHOP && p.skus.some((s) => s.seller_sku === sku));
const show = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const live = (id) => until(`${id} is live`, async () => (await show(id)).status === 'live', 40000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await show(id))}`); });
const uploadedOf = (p) => p.main_images.map((i) => tiktok.images.get(i.uri));
const fileHash = (path) => createHash('sha256').update(merchant.files.get(path).body).digest('hex');

await test('a variant whose picture only VTEX has gets it with the first publication', async () => {
  await w.run(H);
  for (const id of ['11', '12', 'V', '15']) await live(id);
  const p = find('13');
  const by = Object.fromEntries(p.skus.map((s) => [s.seller_sku, s.sales_attributes[0].sku_img && tiktok.images.get(s.sales_attributes[0].sku_img.uri).hash]));
  same(by, { 13: fileHash('/arquivos/ids/701/azul.png'), 14: fileHash('/arquivos/ids/702/verde.png') }, 'pictures of the variants');
  same(find('11').main_images.length, 1, 'the feed has one');
  w.noViolations();
});

await test('a dry run lists what VTEX would add and sends nothing', async () => {
  const from = tiktok.calls.length;
  const r = await w.must('POST', `/v1/clients/${H}/sync/images?dry_run=true`, {});
  const run = await until('dry run ends', async () => { const x = await w.must('GET', `/v1/runs/${r.run_id}`); return x.finished_at && x; });
  same([run.status, run.dry_run, run.progress.total, run.progress.updated, run.progress.unchanged], ['succeeded', true, 4, 2, 2], JSON.stringify(run));
  const changes = (await w.must('GET', `/v1/runs/${r.run_id}/changes`)).items;
  same(changes.map((c) => [c.seller_sku, c.field, c.outcome]).sort(), [['11', 'images', 'planned'], ['12', 'images', 'planned']], 'changes');
  ok(changes.find((c) => c.seller_sku === '11').new.includes('/arquivos/ids/502/costas.png'), JSON.stringify(changes));
  same(w.writes(from), [], 'writes');
  same(w.sql("SELECT count(*) FROM sku_images WHERE seller_sku IN ('11', '12')"), '0', 'stored');
});

await test('only the SKUs that are named are read', async () => {
  const from = tiktok.calls.length;
  const asked = w.vtex.calls.length;
  const run = await w.run(H, 'images', { skus: ['11'] });
  same([run.status, run.progress.total, run.progress.done, run.progress.updated], ['succeeded', 1, 1, 1], JSON.stringify(run));
  same(w.vtex.calls.slice(asked).filter((c) => c.name === 'listSkuFiles').map((c) => c.path.split('/').at(-2)), ['11'], 'asked');
  same(w.writes(from).map((c) => c.name).filter((n) => n !== 'upload_product_image'), ['partial_edit_product'], 'writes');
});

await test('originals are fetched, the feed\'s first stays first, then by position; the same file stands there once', async () => {
  await until('three pictures', () => find('11').main_images.length === 3);
  same(uploadedOf(find('11')).map((i) => i.hash), [fileHash('/arquivos/ids/501/frente.png'), fileHash('/arquivos/ids/502/costas.png'), fileHash('/arquivos/ids/503/depois.png')], 'main pictures');
  same([hits('/arquivos/ids/503-55-55/depois.png'), hits('/arquivos/ids/502-500-auto/costas.png')], [0, 0], 'thumbnails');
  const edit = tiktok.calls.findLast((c) => c.name === 'partial_edit_product');
  same(Object.keys(JSON.parse(edit.body)).filter((k) => k !== 'save_mode'), ['main_images'], 'only pictures travel');
  w.noViolations();
});

await test('nine pictures at most; the same again makes no call', async () => {
  await w.run(H, 'images');
  await until('nine pictures', () => find('12').main_images.length === 9);
  same(uploadedOf(find('12'))[1].hash, fileHash('/arquivos/ids/613/x.png'), 'position 0 comes after the feed\'s own');
  const from = tiktok.calls.length;
  const run = await w.run(H, 'images');
  same([run.status, run.progress.unchanged], ['succeeded', 4], JSON.stringify(run));
  same(w.writes(from), [], 'writes');
  w.noViolations();
});

await test('a client without VTEX is told so; a member that does not exist is refused', async () => {
  same((await w.api('POST', `/v1/clients/${H}/sync/images`, { sku: ['11'] })).status, 400, 'unknown member');
  await w.must('PUT', '/v1/clients/strict-sem-vtex', { name: 'Sem VTEX', tik_tok_shop_feed_link: `${merchant.url}/none.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
  same((await w.api('POST', '/v1/clients/strict-sem-vtex/sync/images', {})).status, 409, 'no VTEX');
});

// One product each: a good picture and the one in question.
const big = png(4200, 3000, 31);
const good = png(500, 500, 41);
const CASES = [
  { id: 'html', code: 'image_format', file: { type: 'image/jpeg', body: '<!DOCTYPE html><html><body>Desculpe, n\u00e3o h\u00e1 foto</body></html>' } },
  { id: 'bomb', code: 'image_pixels', file: { type: 'image/png', body: bomb(10000, 5001) } },
  { id: 'cut', code: 'image_cut', file: { type: 'image/png', body: png(600, 600, 51).subarray(0, 400) } },
  { id: 'tiny', code: 'image_size', file: { type: 'image/png', body: png(200, 250, 52) } },
  { id: 'damaged', code: 'image_damaged', file: { type: 'image/png', body: (() => { const b = Buffer.from(png(900, 300, 53)); b[60] ^= 0x55; return b; })() } },
  { id: 'gone', code: 'image_missing', file: null },
  { id: 'private', code: 'url_blocked', file: { status: 302, headers: { location: 'https://eu:senha@127.0.0.1/foto.png' }, body: '' } },
  { id: 'away', code: 'image_host_away', file: (req, res) => res.socket.destroy() },
  { id: 'mislabelled', size: [500, 500], file: { type: 'text/html', body: png(500, 500, 61) } },
  { id: 'big', size: [4000, 2857], canvas: [4000, 3000], file: { type: 'image/png', body: big } },
  { id: 'banner', size: [1200, 900], file: { type: 'image/png', body: png(1200, 400, 63) } },
  { id: 'gif', size: [400, 400], file: { type: 'image/gif', body: gif(400, 400) } },
];

await test('each bad picture has its outcome; what can be mended is mended; all products go on', async () => {
  const from = tiktok.calls.length;
  for (const c of CASES) if (c.file) merchant.files.set(`/bad/${c.id}`, c.file);
  put('/img/good.png', good);
  items = [...items, ...CASES.map((c) => ({ ...base, id: `bad-${c.id}`, title: `Caneca ${c.id}`, image_link: `${merchant.url}/img/good.png`, additional_image_link: `${merchant.url}/bad/${c.id}` }))];
  feed();
  await w.run(H, 'products', {}, 90000);
  for (const c of CASES) {
    await live(`bad-${c.id}`);
    const problems = (await show(`bad-${c.id}`)).problems.filter((p) => p.field === 'images');
    const pictures = uploadedOf(find(`bad-${c.id}`));
    if (c.code) {
      same([pictures.length, problems.map((p) => p.code)], [1, [c.code]], `${c.id}: ${JSON.stringify(problems)}`);
      ok(problems[0].message.includes(`/bad/${c.id}`) && problems[0].action, JSON.stringify(problems));
    } else {
      same([pictures.length, problems], [2, []], `${c.id}: ${JSON.stringify(problems)}`);
      same([pictures[1].width, pictures[1].height], c.canvas ?? c.size, c.id);
    }
  }
  same(tiktok.calls.slice(from).filter((c) => c.name === 'upload_product_image').length, 5, 'uploads: the good one once, four more');
  w.noViolations();
});

await test('the same file is not converted or sent again, from another address neither', async () => {
  const from = tiktok.calls.length;
  put('/other/big.png', big);
  items = [...items, { ...base, id: 'again', title: 'Caneca de novo', image_link: `${merchant.url}/other/big.png` }];
  feed();
  await w.run(H);
  await live('again');
  same(tiktok.calls.slice(from).filter((c) => c.name === 'upload_product_image').length, 0, 'uploads');
  same(w.sql("SELECT count(*) FROM images WHERE converted"), '3', 'converted');
  same(w.sql("SELECT string_agg(DISTINCT problem_code, ',' ORDER BY problem_code) FROM images WHERE uri IS NULL"), 'image_cut,image_damaged,image_format,image_pixels,image_size', 'remembered refusals');
});

await test('pictures of the description are uploaded for it; what cannot be used is left out with a note', async () => {
  const from = tiktok.calls.length;
  img('/texto/tabela.png', 800, 250);
  put('/texto/larga.png', png(4400, 600, 71));
  items = items.map((i) => (i.id === '15' ? { ...i, description: `raw:<![CDATA[<div><p>Veja <b>as medidas</b></p><img alt="x" onerror=alert(1) SRC='/texto/tabela.png?a=1&amp;b=2' style="width:1px"><ul><li>Um<img src="//127.0.0.1:1/nada.png"></li></ul><img src="data:image/png;base64,AAAA"><img src="${merchant.url}/texto/larga.png"/><p>Fim</p></div>]]>` } : i));
  feed();
  await w.run(H);
  await until('the text is there', async () => /<img/.test(find('15').description), 30000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await show('15'))} ${w.connector.text().slice(-1500)}`); });
  const got = find('15').description;
  const uploaded = tiktok.calls.slice(from).filter((c) => c.name === 'upload_product_image').map((c) => c.image.useCase);
  same(uploaded, ['DESCRIPTION_IMAGE', 'DESCRIPTION_IMAGE'], 'uploads');
  same(got.replace(/src="[^"]*"/g, 'src'), '<p>Veja <strong>as medidas</strong></p><img src width="800" height="250"><ul><li>Um</li></ul><img src width="3999" height="545"><p>Fim</p>', 'text');
  await live('15');
  const shown = await show('15');
  same(shown.problems.map((p) => [p.field, p.code]).sort(), [['description', 'image_host_away'], ['description', 'image_skipped']], JSON.stringify(shown.problems));
  w.noViolations();
});

await test('an address that is not public is never asked, whatever the feed or VTEX says', async () => {
  await w.connector.stop();
  w.connector = new Process('strict-public', ['serve'], { ...w.env, ALLOW_PRIVATE_ADDRESSES: 'false' });
  await until('connector is ready', async () => (await request('GET', `http://127.0.0.1:${w.opsPort}/readyz`).catch(() => ({}))).status === 200, 20000);
  const asked = merchant.hits.length;
  w.sql(`UPDATE products SET desired = jsonb_set(desired, '{images}', desired->'images' || '["${merchant.url}/img/secret.png"]') WHERE source_id = '15'`);
  put('/img/secret.png', png(500, 500, 99));
  await w.must('POST', `/v1/clients/${H}/products/15/publish`);
  const shown = await until('the note', async () => { const x = await show('15'); return x.problems.some((p) => p.code === 'url_blocked') && x; });
  ok(shown.status === 'live' && shown.problems.find((p) => p.code === 'url_blocked').message.includes('/img/secret.png'), JSON.stringify(shown));
  same(merchant.hits.slice(asked).map((h) => h.url), [], 'requests to the merchant');
  w.noViolations();
});

await test('what decoding takes, the service does not keep', () => {
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${w.connector.child.pid}/status`, 'utf8'))[1]);
  ok(SANITIZER || peak < 128 * 1024, `peak of the service is ${peak} kB`);
});

await end();
