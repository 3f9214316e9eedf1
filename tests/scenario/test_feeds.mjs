// Bad feeds change nothing and say why; good ones of every encoding are read.
import { deflateSync, gzipSync } from 'node:zlib';
import { CLIENT, Stack, end, ok, same, test, webServer } from './lib.mjs';

const s = await Stack.start({ env: { LEASE_SECONDS: '5' } });
const web = await webServer();
await s.client({ tik_tok_shop_feed_link: `${web.url}/feed.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await s.connect();

// A real PNG of the given size: grey noise rows.
function crc(buffer) {
  let c, table = crc.table ??= Array.from({ length: 256 }, (_, n) => { c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0; });
  let v = 0xffffffff;
  for (const b of buffer) v = table[(v ^ b) & 255] ^ (v >>> 8);
  return (v ^ 0xffffffff) >>> 0;
}
function png(width, height, seed) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + data.length + 4);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 8 + data.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height, seed);
  for (let y = 0; y < height; y++) rows[y * (width + 1)] = 0;
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
for (let i = 0; i < 8; i++) web.files.set(`/img/${i}.png`, { type: 'image/png', body: png(600, 600, 40 + i) });

const item = (i, extra = {}) => {
  const f = { 'g:id': `${9000 + i}`, 'g:title': `Caneca esmaltada número ${i} para café`, 'g:description': 'Caneca esmaltada resistente.', 'g:link': 'https://loja.example/p',
    'g:image_link': `${web.url}/img/${i % 8}.png`, 'g:price': `${10 + i}.90 BRL`, 'g:availability': 'in_stock', 'g:brand': 'Aurora', 'g:product_type': 'Casa > Cozinha', 'g:material': 'Cerâmica', 'g:shipping_weight': '0.4 kg', ...extra };
  return `<item>${Object.entries(f).map(([k, v]) => `<${k}>${v}</${k}>`).join('')}</item>`;
};
const feed = (items, { encoding = 'UTF-8' } = {}) => `<?xml version="1.0" encoding="${encoding}"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Loja</title>${items.join('\n')}</channel></rss>`;
const set = (body, more = {}) => web.files.set('/feed.xml', { body, ...more });
const good = Array.from({ length: 8 }, (_, i) => item(i));
const snapshot = () => s.sql("SELECT count(*) || ' ' || coalesce(md5(string_agg(item_id || hash::text, ',' ORDER BY item_id)), '') FROM feed_items")
  + s.sql("SELECT count(*) || ' ' || md5(string_agg(source_id || in_feed::text || desired::text, ',' ORDER BY source_id)) FROM products");

await test('a good feed is published', async () => {
  set(feed(good));
  const run = await s.run('products', {});
  const { items } = await s.must('GET', `/v1/clients/${CLIENT}/products`);
  same(run.status, 'succeeded', `run (${JSON.stringify(run)}; ${JSON.stringify(items.map((p) => p.problems))})`);
  same(run.progress.total, 8, 'total');
});

const full = feed(good);
for (const [name, body, more, code] of [
  ['cut in the middle', full.slice(0, full.length / 2), {}, 'feed_truncated'],
  ['empty', '', {}, /feed_(empty|not_xml|truncated)/],
  ['without items', feed([]), {}, 'feed_empty'],
  ['an HTML error page', '<!DOCTYPE html><html><head><title>Manutenção</title></head><body><p>Voltamos logo<br></p></body></html>', { type: 'text/html' }, /feed_(html|doctype)/],
  ['an XHTML page', '<html><body><p>Voltamos logo</p></body></html>', {}, /feed_(html|empty)/],
  ['with a DOCTYPE and entities', full.replace('<rss', '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss'), {}, 'feed_doctype'],
  ['shrunken', feed(good.slice(0, 2)), {}, 'feed_shrunk'],
  ['a JSON file', '{"items": []}', {}, /feed_not_xml/],
  ['answered with 503', 'maintenance', { status: 503 }, /feed_http/],
  ['answered with 404', 'no', { status: 404 }, /feed_http/],
  ['nested 100 deep', feed([...good, `<item>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</item>`]), {}, /feed_too_deep/],
  ['with a bare ampersand', feed(good).replace('resistente', 'boa & barata'), {}, /feed_(not_xml|truncated|malformed|xml)/],
]) {
  await test(`a feed ${name} changes nothing`, async () => {
    set(body, more);
    const before = snapshot();
    const writes = s.calls('create_product').length;
    const run = await s.run('products', {});
    ok(['failed', 'held'].includes(run.status), `run ended as ${run.status}`);
    ok(run.problem && (code instanceof RegExp ? code.test(run.problem.code) : run.problem.code === code), `problem ${JSON.stringify(run.problem)}, want ${code}`);
    same(snapshot(), before, 'catalog');
    same(s.calls('create_product').length, writes, 'creates');
  });
}

await test('an address that redirects to a page of another kind or loops is refused', async () => {
  web.files.set('/loop.xml', (req, res) => res.writeHead(302, { location: '/loop.xml' }).end());
  const run = await s.run('products', { url: `${web.url}/loop.xml` });
  same(run.status, 'failed', 'status');
});

await test('gzip, ISO-8859-1, windows-1252, a BOM and CDATA are read', async () => {
  const latin = (text) => Buffer.from(text.replaceAll('—', '\x97'), 'latin1');
  const variants = [
    ['gzip file', gzipSync(Buffer.from(feed(good)))],
    ['ISO-8859-1', latin(feed(good, { encoding: 'ISO-8859-1' }))],
    ['windows-1252 under an ISO-8859-1 label', latin(feed(good.map((x) => x.replace('resistente', 'resistente — ágil')), { encoding: 'ISO-8859-1' }))],
    ['BOM', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(feed(good))])],
    ['blank lines first', Buffer.from(`\n\n${feed(good)}`)],
  ];
  for (const [name, body] of variants) {
    set(body);
    const run = await s.run('products', {});
    same([run.status, run.progress.total], ['succeeded', 8], `${name} (${JSON.stringify(run.problem)})`);
  }
  const title = s.sql("SELECT title FROM products WHERE source_id = '9001'");
  same(title, 'Caneca esmaltada número 1 para café', 'title');
});

await test('one bad item is a problem of that product alone', async () => {
  set(feed([...good.slice(0, 7), item(7, { 'g:price': 'sob consulta' }), item(8, { 'g:image_link': `${web.url}/img/none.png` })]));
  const run = await s.run('products', {});
  same(run.status, 'partial', `run (${JSON.stringify(run)})`);
  const { items } = await s.must('GET', `/v1/clients/${CLIENT}/products`);
  const bad = items.find((p) => p.source_id === '9008');
  ok(bad.problems.some((p) => /imag/i.test(p.message + p.code)), `missing image is named: ${JSON.stringify(bad)}`);
  same(items.filter((p) => p.status === 'live' || p.status === 'in_review').length >= 7, true, 'others go on');
});

await test('a dry run says what would change and changes nothing', async () => {
  set(feed([item(0, { 'g:title': 'Caneca com outro nome, maior e melhor' }), ...good.slice(1)]));
  const before = snapshot();
  const run = await s.run('products', {}, { query: '?dry_run=true' });
  same(run.dry_run, true, 'dry_run');
  same(snapshot(), before, 'catalog');
  const changes = await s.must('GET', `/v1/runs/${run.id}/changes`);
  ok(changes.items.some((c) => c.source_id === '9000' && /outro nome/.test(c.new ?? '')), `changes: ${JSON.stringify(changes.items.slice(0, 5))}`);
});

await test('every exchange kept to both contracts', () => s.noViolations());
await end();
