// Dry run, explanation and undo: what a run would do, what it did with its rule and request id, and how that is put
// back so that the next reading of the same feed leaves it alone. Judged by the strict platforms.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'strict-loja-undo';
const SHOP = '7000000000000000707';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-undo', [SHOP]);

let seed = 700;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: '<p>Boa caneca</p>', brand: 'Aurora', shipping_weight: '300 g' };
const shirt = { ...base, product_type: 'Moda > Camisetas', description: 'Camiseta' };
let items = [
  { ...base, id: 'L_U1', title: 'Caneca U1', image_link: img('u1') },
  { ...base, id: 'L_U2', title: 'Caneca U2', image_link: img('u2') },
  { ...shirt, id: 'L_U3a', item_group_id: 'U3', title: 'Camisa U3', image_link: img('u3'), color: 'Azul', size: 'P' },
  { ...shirt, id: 'L_U3b', item_group_id: 'U3', title: 'Camisa U3', image_link: img('u3'), color: 'Azul', size: 'M' },
];
const publishFeed = () => { w.merchant.files.set('/u.xml', { body: rss('zz', items) }); return `${w.merchant.url}/u.xml`; };
const policies = { sku_id: { rule: 'last_part' }, price: { source: 'feed', markup_percent: '10', round_to: '0.10', minimum: '20.00', maximum: '500.00' }, stock: { source: 'feed' } };
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Undo', tik_tok_shop_feed_link: publishFeed(), policies });
await w.connect(H, 'seller-undo');

const find = (sku) => [...tiktok.products.values()].find((p) => p.status !== 'DELETED' && p.skus.some((s) => s.seller_sku === sku));
const skuOf = (sku) => find(sku)?.skus.find((s) => s.seller_sku === sku);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const changes = async (run) => (await w.must('GET', `/v1/runs/${run.id ?? run}/changes?limit=200`)).items;
const line = (list, field, sku) => list.find((c) => c.field === field && (sku === undefined || c.seller_sku === sku));
const live = (id) => until(`${id} is live`, async () => { const p = await product(id); return p.status === 'live' && p; }, 30000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
const edit = (id, fields) => { items = items.map((i) => (i.id === id ? { ...i, ...fields } : i)); publishFeed(); };
const ended = (id) => until(`run ${id} ends`, async () => { const x = await w.must('GET', `/v1/runs/${id}`); return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(x.status) && x; }, 30000);
async function dry() {
  const r = await w.must('POST', `/v1/clients/${H}/sync/products?dry_run=true`, {});
  return ended(r.run_id);
}

await test('a dry run names every product and variant that would be made, and what would be refused', async () => {
  items.push({ ...base, id: 'L_BAD', title: '!!!', image_link: img('bad') }, { ...base, id: 'L_DEAR', title: 'Caneca cara', price: '20000.00 BRL', image_link: img('dear') });
  publishFeed();
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { price: { maximum: null } } });
  const run = await dry();
  same([run.status, run.progress.created, run.progress.failed], ['partial', 3, 2], JSON.stringify(run));
  const list = await changes(run);
  same(list.filter((c) => c.action === 'create' && c.entity === 'product').map((c) => c.source_id).sort(), ['L_BAD', 'L_DEAR', 'L_U1', 'L_U2', 'U3'], 'products');
  same(list.filter((c) => c.action === 'create' && c.entity === 'sku' && c.source_id === 'U3').map((c) => c.seller_sku).sort(), ['U3a', 'U3b'], 'variants');
  const refused = list.filter((c) => c.outcome === 'would_refuse');
  ok(refused.some((c) => c.source_id === 'L_BAD' && c.new === 'missing_title' && c.reason), JSON.stringify(refused));
  ok(refused.some((c) => c.source_id === 'L_DEAR' && c.new === 'price_range'), JSON.stringify(refused));
  same(w.writes().length, 0, 'writes');
  same(tiktok.calls.filter((c) => c.name !== 'get_access_token' && /product|categor|brand/.test(c.name)), [], 'calls');
  items = items.filter((i) => !['L_BAD', 'L_DEAR'].includes(i.id));
  publishFeed();
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { price: { maximum: '500.00' } } });
});

await test('a first run says of each product that it was published, with the request id', async () => {
  const run = await w.run(H);
  for (const id of ['L_U1', 'L_U2', 'U3']) await live(id);
  const list = await changes(run);
  same(list.map((c) => [c.source_id, c.action, c.outcome]).sort(), [['L_U1', 'create', 'published'], ['L_U2', 'create', 'published'], ['U3', 'create', 'published']], JSON.stringify(list));
  ok(list.every((c) => c.request_id), JSON.stringify(list));
});

let changed;
await test('a run tells old, new, rule, request id and outcome of each field that it sent', async () => {
  edit('L_U1', { title: 'Caneca U1 nova', description: '<p>Caneca melhor</p>', price: '60.00 BRL', image_link: img('u1-new'), inventory: '7' });
  edit('L_U3b', { price: '90.00 BRL' });
  const plan = await changes(await dry());
  same(plan.map((c) => [c.source_id, c.seller_sku, c.field, c.outcome]).sort(), [['L_U1', 'U1', 'images', 'planned'], ['L_U1', 'U1', 'price', 'planned'], ['L_U1', 'U1', 'quantity', 'planned'], ['L_U1', 'U1', 'title', 'planned'],
    ['L_U1', null, 'description', 'planned'], ['L_U1', null, 'images', 'planned'], ['L_U1', null, 'title', 'planned'], ['U3', 'U3b', 'price', 'planned']].sort(), JSON.stringify(plan));
  changed = await w.run(H);
  await live('L_U1');
  const list = await changes(changed);
  const title = line(list, 'title', null);
  same([title.old, title.new, title.rule, title.outcome], ['Caneca U1', 'Caneca U1 nova', 'feed', 'published'], JSON.stringify(title));
  const price = line(list, 'price', 'U1');
  same([price.old, price.new, price.rule, price.outcome], ['55.00', '66.00', 'feed + markup_percent', 'published'], JSON.stringify(price));
  same([line(list, 'price', 'U3b').old, line(list, 'price', 'U3b').new], ['55.00', '99.00'], 'U3b');
  same([line(list, 'stock', 'U1').old, line(list, 'stock', 'U1').new], ['10', '7'], 'stock');
  ok(list.every((c) => c.outcome === 'published' && (c.request_id || c.field === 'link')), JSON.stringify(list));
  const log = (await w.must('GET', `/v1/clients/${H}/logs/product?run_id=${changed.id}`)).items.find((x) => x.outcome === 'updated');
  same(log.request_id, title.request_id, 'request ids');
  const text = log.changes.find((c) => c.field === 'description');
  same({ field: text.field, old: text.old, new: text.new, rule: text.rule }, { field: 'description', old: '<p>Boa caneca</p>', new: '<p>Caneca melhor</p>', rule: 'feed' }, JSON.stringify(log));
  same((await w.must('GET', `/v1/clients/${H}/logs/price?run_id=${changed.id}&entity=U1`)).items[0].request_id, price.request_id, 'price log');
});

await test('what TikTok refuses is told on the run too', async () => {
  const original = tiktok.update_price;
  tiktok.update_price = () => tiktok.answer(12052038, 'The price cannot be edited while a promotion runs');
  edit('L_U2', { price: '61.00 BRL' });
  const list = await changes(await w.run(H));
  tiktok.update_price = original;
  same([line(list, 'price', 'U2').outcome, line(list, 'price', 'U2').old, line(list, 'price', 'U2').new], ['refused', '55.00', '67.10'], JSON.stringify(list));
  ok(/promotion/.test(line(list, 'price', 'U2').reason), JSON.stringify(list));
  edit('L_U2', { price: '50.00 BRL' });
  await w.run(H);
});

const TOKEN = { token: 'sync-token-0123456789' };
async function revert(id, query = '') {
  const r = await w.api('POST', `/v1/runs/${id}/revert${query}`, undefined, TOKEN);
  same(r.status, 202, `revert (${r.text})`);
  same(r.headers.location, `/v1/runs/${r.json.run_id}`, 'Location');
  return ended(r.json.run_id);
}
const refused = async (id, code, query = '') => {
  const r = await w.api('POST', `/v1/runs/${id}/revert${query}`, undefined, TOKEN);
  same([r.status, r.json.code], [409, code], r.text);
};
const overrides = async (query = '') => (await w.must('GET', `/v1/clients/${H}/overrides${query}`)).items;

await test('what cannot be put back is refused with a reason', async () => {
  const plan = await dry();
  await refused(plan.id, 'run_was_dry');
  const nothing = await w.run(H);
  await refused(nothing.id, 'nothing_to_revert');
  same((await w.api('POST', '/v1/runs/0192-none/revert', undefined, TOKEN)).status, 404, 'unknown run');
  same((await w.api('POST', `/v1/runs/${changed.id}/revert`, undefined, { token: 'read-token-0123456789' })).status, 403, 'a reader');
});

await test('a dry revert says what it would do and does nothing', async () => {
  const from = tiktok.calls.length;
  const run = await revert(changed.id, '?dry_run=true');
  same([run.kind, run.dry_run, run.status, run.progress.total, run.progress.updated], ['revert', true, 'succeeded', 2, 2], JSON.stringify(run));
  const list = await changes(run);
  same([line(list, 'title').old, line(list, 'title').new, line(list, 'title').action, line(list, 'title').outcome], ['Caneca U1 nova', 'Caneca U1', 'revert', 'planned'], JSON.stringify(list));
  same([line(list, 'price', 'U1').old, line(list, 'price', 'U1').new], ['66.00', '55.00'], 'price');
  same([w.writes(from).length, (await overrides()).length], [0, 0], 'writes and overrides');
});

let undone;
await test('a revert puts prices back by the price call and texts by a partial edit', async () => {
  const from = tiktok.calls.length;
  const picture = find('U1').main_images[0].uri;
  undone = await revert(changed.id);
  same([undone.status, undone.progress.total, undone.progress.updated, undone.progress.failed], ['succeeded', 2, 2, 0], JSON.stringify(undone));
  await live('L_U1');
  await until('texts are back', () => find('U1').title === 'Caneca U1' && find('U1').description === '<p>Boa caneca</p>');
  ok(find('U1').main_images[0].uri !== picture, 'the picture is back');
  same([skuOf('U1').price.amount, skuOf('U3a').price.amount, skuOf('U3b').price.amount, skuOf('U1').inventory[0].quantity], ['55.00', '55.00', '55.00', 7], 'prices and stock');
  same(w.writes(from).map((c) => c.name).sort(), ['partial_edit_product', 'update_price', 'update_price'], 'writes');
  const edited = tiktok.calls.slice(from).find((c) => c.name === 'partial_edit_product');
  same(Object.keys(edited.json).sort(), ['description', 'main_images', 'title'], 'members of the edit');
  const list = await changes(undone);
  same(list.map((c) => [c.field, c.outcome, c.rule]).sort(), [['description', 'published', 'override: revert'], ['images', 'published', 'override: revert'], ['price', 'published', 'feed + markup_percent + override: revert'],
    ['price', 'published', 'feed + markup_percent + override: revert'], ['title', 'published', 'override: revert']].sort(), JSON.stringify(list));
  ok(list.every((c) => c.request_id), JSON.stringify(list));
});

await test('the same feed again, a publish on request and another price leave what was put back alone', async () => {
  const from = tiktok.calls.length;
  await w.run(H);
  await w.must('POST', `/v1/clients/${H}/products/L_U1/publish`);
  await until('it was looked at', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'") === '0');
  same(w.writes(from).length, 0, 'writes');
  edit('L_U3a', { price: '51.00 BRL' });
  await w.run(H);
  await until('the other price', () => skuOf('U3a').price.amount === '56.10');
  same([skuOf('U3b').price.amount, find('U1').title], ['55.00', 'Caneca U1'], 'held');
  const held = await overrides('?source_id=L_U1');
  same(held.map((o) => [o.field, o.reason, o.run_id === undone.id, o.set_by]).sort(), ['description', 'images', 'price', 'title'].map((f) => [f, 'revert', true, 'token:backoffice']), JSON.stringify(held));
  const explained = await w.must('GET', `/v1/clients/${H}/skus/U1/explain`);
  same(explained.price.rules.map((r) => [r.name, r.before, r.after]), [['markup_percent', '60.00', '66.00'], ['override: revert', '66.00', '55.00']], JSON.stringify(explained.price));
  same([explained.price.result, explained.price.published], ['55.00', '55.00'], JSON.stringify(explained.price));
});

await test('a run that was put back is not put back twice; the revert itself can be', async () => {
  await refused(changed.id, 'run_reverted');
  const again = await revert(undone.id);
  same(again.status, 'succeeded', JSON.stringify(again));
  await until('the feed counts again', () => find('U1').title === 'Caneca U1 nova' && skuOf('U1').price.amount === '66.00' && skuOf('U3b').price.amount === '99.00');
  same(await overrides(), [], 'overrides');
  await live('L_U1');
  await refused(undone.id, 'run_reverted');
  undone = await revert(changed.id);
  await until('back once more', () => find('U1').title === 'Caneca U1' && skuOf('U1').price.amount === '55.00');
  await live('L_U1');
});

await test('what the merchant changes since ends what is held', async () => {
  edit('L_U1', { title: 'Caneca U1 de Natal' });
  await w.run(H);
  await until('the new title', () => find('U1').title === 'Caneca U1 de Natal');
  await live('L_U1');
  same(skuOf('U1').price.amount, '55.00', 'the price is still held');
  same((await overrides('?source_id=L_U1')).map((o) => o.field).sort(), ['description', 'images', 'price'], 'overrides');
  ok((await w.must('GET', `/v1/clients/${H}/logs/product?entity=L_U1`)).items.some((x) => x.outcome === 'override_ended' && /title/.test(x.message)), 'the log says so');
  edit('L_U1', { price: '62.00 BRL' });
  await w.run(H);
  await until('the new price', () => skuOf('U1').price.amount === '68.20');
});

await test('a person lifts what is held', async () => {
  const [text] = (await overrides('?source_id=L_U1')).filter((o) => o.field === 'description');
  const r = await w.api('DELETE', `/v1/clients/${H}/overrides/${text.id}`, undefined, TOKEN);
  same([r.status, r.json.field], [202, 'description'], r.text);
  await until('the description of the feed', () => find('U1').description === '<p>Caneca melhor</p>');
  await live('L_U1');
  same((await w.api('DELETE', `/v1/clients/${H}/overrides/${text.id}`, undefined, TOKEN)).status, 404, 'lifted twice');
  ok((await w.must('GET', `/v1/clients/${H}/audit`)).items.some((a) => a.action === 'override_lifted' && a.who === 'token:backoffice'), 'audit');
});

await test('what changed again, or is outside the price rules, is left alone and told', async () => {
  edit('L_U2', { title: 'Caneca U2 B', price: '30.00 BRL' });
  edit('L_U3a', { price: '80.00 BRL' });
  const first = await w.run(H);
  await live('L_U2');
  edit('L_U2', { title: 'Caneca U2 C' });
  await w.run(H);
  await until('C', () => find('U2').title === 'Caneca U2 C');
  await live('L_U2');
  await w.must('PATCH', `/v1/clients/${H}`, { policies: { price: { minimum: '58.00' } } });
  const from = tiktok.calls.length;
  const run = await revert(first.id);
  same([run.status, run.progress.total, run.progress.unchanged], ['succeeded', 2, 2], JSON.stringify(run));
  const list = await changes(run);
  same([line(list, 'title').outcome, line(list, 'title').reason], ['skipped', 'changed again after the run'], JSON.stringify(list));
  same([line(list, 'price', 'U2').outcome, line(list, 'price', 'U3a').outcome], ['skipped', 'skipped'], JSON.stringify(list));
  ok(/price rules/.test(line(list, 'price', 'U3a').reason), JSON.stringify(list));
  same(w.writes(from).length, 0, 'writes');
});

await test('a product that was taken off sale since is left alone', async () => {
  edit('L_U3a', { price: '85.00 BRL' });
  const run = await w.run(H);
  await until('the new price', () => skuOf('U3a').price.amount === '93.50');
  await w.must('POST', `/v1/clients/${H}/products/U3/deactivate`);
  await until('it is off sale', async () => (await product('U3')).status === 'deactivated');
  const back = await revert(run.id);
  const [price] = await changes(back);
  same([back.status, price.seller_sku, price.outcome, price.reason], ['succeeded', 'U3a', 'skipped', 'the product is not listed any more'], JSON.stringify(price));
  same([skuOf('U3a').price.amount, (await overrides('?source_id=U3')).filter((o) => o.seller_sku === 'U3a').length], ['93.50', 0], 'nothing was sent');
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
