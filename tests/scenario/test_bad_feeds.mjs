// Bad input by feed: each has a clear outcome on the run or the product, nothing goes off sale by accident, and what is
// good goes on. Judged by the strict platforms.
import { deflateRawSync, constants, gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { SANITIZER, end, ok, same, test, until } from './lib.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const H = 'loja-ruim';
const SHOP = '7495000000000000051';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-ruim', [SHOP]);
let seed = 700;
const pictures = new Set();
const img = (name) => {
  if (!pictures.has(name)) w.merchant.files.set(`/img/${name}.png`, { type: 'image/png', body: png(320, 320, ++seed) });
  pictures.add(name);
  return `${w.merchant.url}/img/${name}.png`;
};
const base = (id, more = {}) => ({ id, title: `Caneca número ${id}`, description: 'Boa', image_link: img(id), link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL',
  inventory: '10', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g', ...more });
const N = 10;
const ids = Array.from({ length: N }, (_, i) => `B${i}`);
const goods = (changes = {}) => ids.map((id) => base(id, changes[id]));
const serve = (file) => w.merchant.files.set('/ruim.xml', file);
const set = (items, more = {}) => serve({ body: rss('g', items), ...more });
// An answer as it goes over the wire; the connection ends after it.
const wire = (head, body) => (req, res) => res.socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\n${head}\r\n\r\n`), body]));

const find = (id) => [...tiktok.products.values()].filter((p) => p.status !== 'DELETED' && p.skus.some((s) => s.seller_sku === id));
const held = () => JSON.stringify([...tiktok.products.values()].map((p) => [p.id, p.status, p.title, p.skus.map((s) => [s.seller_sku, s.price.amount])]));
const stored = () => w.sql("SELECT count(*) || ' ' || coalesce(md5(string_agg(item_id || hash::text, ',' ORDER BY item_id)), '') FROM feed_items")
  + w.sql("SELECT count(*) || ' ' || md5(string_agg(source_id || status || shelf || in_feed::text || absent_feeds || desired::text, ',' ORDER BY source_id)) FROM products")
  + w.sql('SELECT generation FROM feed_snapshots');
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const codes = (p) => p.problems.map((x) => x.code).filter((x) => x !== 'brand_dropped'); // the judge clears some brands
const cents = (id) => w.sql(`SELECT feed_price_minor FROM skus WHERE source_id = '${id}'`);
const live = (id) => until(`${id} is live`, async () => (await product(id)).status === 'live').catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
const ended = (id) => until(`run ${id} ends`, async () => { const r = await w.must('GET', `/v1/runs/${id}`); return !['queued', 'running'].includes(r.status) && r; });
const changes = async (id) => (await w.must('GET', `/v1/runs/${id}/changes?limit=200`)).items;
const off = (from = 0) => w.writes(from).filter((c) => /^(deactivate|delete)/.test(c.name)).map((c) => c.name);

await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Ruim', tik_tok_shop_feed_link: `${w.merchant.url}/ruim.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(H, 'seller-ruim');

let price = 50;
// The next good feed is taken as if nothing had been: its one change, a price, arrives.
async function goesOn() {
  const from = tiktok.calls.length;
  set(goods({ B0: { price: `${++price}.00 BRL` } }));
  const run = await w.run(H);
  same([run.status, run.progress.total], ['succeeded', N], `the good feed after it ${JSON.stringify(run)}`);
  await until('its price arrives', () => find('B0')[0].skus[0].price.amount === `${price}.00`);
  same(w.writes(from).map((c) => c.name), ['update_price'], 'writes of the good feed after it');
}

await test('ten products are live', async () => {
  set(goods());
  const run = await w.run(H);
  same(run.status, 'succeeded', JSON.stringify(run));
  for (const id of ids) await live(id);
});

const whole = Buffer.from(rss('g', goods({ B0: { price: '1.00 BRL' } })));
const chunked = (b) => Buffer.concat([Buffer.from(`${b.length.toString(16)}\r\n`), b, Buffer.from('\r\n')]);
// One item that says nothing for 256 MiB: about 1 MB as a file, and never an end of the text.
const bomb = (begin) => gzipSync(Buffer.concat([whole.subarray(0, whole.indexOf('<item>')), Buffer.from(`<item><g:id>B0</g:id><g:description>${begin}`), Buffer.alloc(256 << 20, 0x20)]), { level: 1 });

// Below 1 KiB/s and without end.
function dribble(req, res) {
  res.writeHead(200, { 'content-type': 'text/xml' });
  res.write(whole.subarray(0, 600));
  const timer = setInterval(() => res.write('<!-- -->'), 500);
  res.on('close', () => clearInterval(timer));
}

// Inflates to blanks for ever, much faster than any limit of time would end it.
let sent = 0;
function endless(req, res) {
  const block = deflateRawSync(Buffer.alloc(16 << 20, 0x20), { finishFlush: constants.Z_FULL_FLUSH });
  res.writeHead(200, { 'content-type': 'text/xml', 'content-encoding': 'gzip' });
  res.write(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
  const more = () => { do sent++; while (!res.destroyed && res.write(block)); };
  res.on('drain', more);
  more();
}

for (const [name, file, code] of [
  ['with a DOCTYPE', { body: whole.toString().replace('<!-- feed -->', '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>') }, 'feed_doctype'],
  ['whose Content-Length is longer than it', wire(`content-length: ${whole.length + 1000}`, whole), 'feed_truncated'],
  ['whose Content-Length is shorter than it', wire(`content-length: ${whole.length - 300}`, whole), 'feed_truncated'],
  ['whose chunks never end', wire('transfer-encoding: chunked', chunked(whole)), 'feed_truncated'],
  ['labelled UTF-8 that is ISO-8859-1', { body: Buffer.from(whole.toString(), 'latin1') }, 'feed_encoding'],
  ['labelled UTF-8 by HTTP that is ISO-8859-1', { body: Buffer.from(whole.toString().replace(' encoding="UTF-8"', ''), 'latin1'), type: 'text/xml; charset=utf-8' }, 'feed_encoding'],
  ['that inflates to an item of 256 MiB', { body: bomb(''), type: 'application/gzip' }, 'feed_item_too_big'],
  ['that inflates to a CDATA section of 256 MiB', { body: bomb('<![CDATA['), type: 'application/gzip' }, 'feed_too_big'],
  ['that inflates without end', endless, 'feed_too_big'],
  ['that dribbles without end', dribble, 'feed_too_slow'],
]) {
  await test(`a feed ${name} changes nothing, and the next one is taken`, async () => {
    serve(file);
    const before = [stored(), held()];
    const from = tiktok.calls.length;
    const run = await w.run(H, 'products', {}, 90000);
    same([run.status, run.problem?.code], ['failed', code], JSON.stringify(run));
    same(w.writes(from).map((c) => c.name), [], 'writes');
    same([stored(), held()], before, 'catalog');
    await goesOn();
  });
}

await test('the one without end was ended by the limit and cost no memory', () => {
  ok(sent >= 128 && sent < 1000, `${sent} pieces of 16 MiB were sent`);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${w.connector.child.pid}/status`, 'utf8'))[1]);
  ok(SANITIZER || peak < 256 << 10, `the connector took ${peak} KiB`);
});

await test('of items with the same id the first counts, and the run says so', async () => {
  const from = tiktok.calls.length;
  const items = goods({ B0: { price: `${++price}.00 BRL` } });
  items.splice(4, 0, base('B0', { title: 'Caneca que se repete', price: '1.00 BRL' }), base('B2')); // the second one is equal
  set(items);
  const run = await w.run(H);
  same([run.status, run.progress.total], ['succeeded', N], JSON.stringify(run));
  await until('the price of the first', () => find('B0')[0].skus[0].price.amount === `${price}.00`);
  same([find('B0').length, find('B0')[0].title], [1, 'Caneca número B0'], 'at TikTok');
  same(w.writes(from).map((c) => c.name), ['update_price'], 'writes');
  const told = (await changes(run.id)).filter((c) => c.outcome === 'warning').map((c) => [c.source_id, c.field]);
  same(told, [['B0', 'duplicate_id'], ['B2', 'duplicate_id']], 'warnings');
  await goesOn();
});

// Section 3 of the feed guide: its table first, then what its sentences say.
const PRICES = [
  ['129.90 BRL', 12990], ['R$ 1.299,90', 129990], ['BRL 129.90', 12990], ['129,9', 12990], ['1.299 BRL', 129900], ['1,299.00 BRL', 129900], ['129 BRL', 12900],
  ['69.90', 6990], ['R$69,90', 6990], ['  69,90 R$ ', 6990], ['raw:R$&#160;69,90', 6990], ['brl 69.90', 6990], ['1.234,565 BRL', 123457], ['1,234.564 BRL', 123456], ['1.299', 129900], ['0,50 BRL', 50],
  ['ARS 10,00', 'invalid_price'], ['', 'missing_price'], ['raw:<!-- none -->', 'missing_price'], ['0.00 BRL', 'invalid_price'], ['-5.00 BRL', 'invalid_price'], ['sob consulta', 'invalid_price'],
  ['12.90 USD', 'invalid_price'], ['10 a 20 BRL', 'invalid_price'], ['NaN', 'invalid_price'], ['1e3 BRL', 'invalid_price'], ['99999999999999999999 BRL', 'invalid_price'], ['12,345.6.7 BRL', 'invalid_price'],
];

await test('prices in every notation; an unusable one is a problem of its product alone', async () => {
  const from = tiktok.calls.length;
  const items = PRICES.map(([text], i) => base(`P${i}`, { price: text, image_link: img('p') }));
  items.push(base('PX', { price: 'R$ 99999,99', image_link: img('p') })); // what the admin of VTEX writes; more than TikTok takes
  set([...goods({ B0: { price: `${price}.00 BRL` }, B1: { price: 'ARS 10,00' } }), ...items]);
  const run = await w.run(H);
  const bad = PRICES.filter(([, want]) => typeof want === 'string').length + 1;
  const wrong = [];
  for (const [i, [text, want]] of PRICES.entries()) {
    if (typeof want === 'number') await live(`P${i}`).catch((e) => wrong.push(`"${text}": ${e.message}`));
    const p = await product(`P${i}`);
    const amount = find(`P${i}`)[0]?.skus[0].price.amount;
    const got = JSON.stringify(typeof want === 'number' ? [cents(`P${i}`), amount, codes(p)] : [p.status, amount, codes(p)]);
    const need = JSON.stringify(typeof want === 'number' ? [`${want}`, (want / 100).toFixed(2), []] : ['waiting', undefined, [want]]);
    if (got !== need) wrong.push(`"${text}": ${got}, want ${need}`);
  }
  same(wrong, [], 'prices');
  same([run.status, run.progress.failed, run.progress.total], ['partial', bad, N + items.length], JSON.stringify(run));
  const px = await product('PX');
  same([cents('PX'), find('PX').length, [...new Set(codes(px))]], ['9999999', 0, ['price_range']], JSON.stringify(px));
  const b1 = await product('B1');
  same([b1.status, codes(b1), find('B1')[0].status, find('B1')[0].skus[0].price.amount], ['live', ['invalid_price'], 'ACTIVATE', '50.00'], 'a live one keeps its price');
  for (const id of ids.filter((x) => x !== 'B1')) same([codes(await product(id)), find(id)[0].status], [[], 'ACTIVATE'], id);
  same(off(from), [], 'taken off sale');
});

await test('nine of ten gone: held until a person accepts, and again before anything goes off sale', async () => {
  const all = N + PRICES.length + 1;
  const before = [stored(), held()];
  const from = tiktok.calls.length;
  const few = goods().slice(2, 5);
  ok(few.length * 10 <= all, 'more than nine of ten are gone');
  set(few);
  const shrunk = await w.run(H);
  same([shrunk.status, shrunk.problem?.code], ['held', 'feed_shrunk'], JSON.stringify(shrunk));
  same(w.writes(from).map((c) => c.name), [], 'writes');
  same([stored(), held()], before, 'catalog');
  await w.must('POST', `/v1/runs/${shrunk.id}/approve`);
  const accepted = await ended(shrunk.id);
  same([accepted.status, accepted.progress.total, accepted.progress.removed], ['succeeded', few.length, 0], JSON.stringify(accepted));
  same([w.sql('SELECT count(*) FROM products WHERE in_feed'), off(from)], [`${few.length}`, []], 'accepted, and nothing is off sale by one feed');
  const second = await w.run(H);
  same([second.status, second.problem?.code], ['held', 'removals_held'], JSON.stringify(second));
  same([off(from), find('B0')[0].status], [[], 'ACTIVATE'], 'still on sale');
  await w.must('POST', `/v1/runs/${second.id}/approve`);
  const removed = await ended(second.id);
  const gone = [...ids, ...PRICES.map((_, i) => `P${i}`)].filter((id) => find(id).length && !few.some((f) => f.id === id));
  same([removed.status, removed.progress.removed, removed.progress.held], ['succeeded', gone.length, 0], JSON.stringify(removed));
  for (const id of gone) same(find(id)[0].status, 'SELLER_DEACTIVATED', id);
  for (const f of few) same(find(f.id)[0].status, 'ACTIVATE', f.id);
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
