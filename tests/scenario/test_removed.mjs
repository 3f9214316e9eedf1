// Products that leave the feed: off sale after two complete feeds, held above the client's limits, back when they
// return, and an operator's word that no feed undoes. Judged by the strict platforms.
import { Process, end, ok, request, same, test, until } from './lib.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const H = 'loja-removidos';
const SHOP = '7495000000000000031';
const w = await World.start({ LEASE_SECONDS: '5', FAULT_POINT: 'shelf_sent', FAULT_COUNT: '1000000' });
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-r', [SHOP]);
let seed = 300;
const img = (name) => {
  w.merchant.files.set(`/img/${name}.png`, { type: 'image/png', body: png(320, 320, ++seed) });
  return `${w.merchant.url}/img/${name}.png`;
};
const item = (i, more = {}) => ({ id: `R${i}`, title: `Caneca número ${i}`, description: 'Boa', image_link: item.images[i] ??= img(`r${i}`), link: 'https://loja.example/p', availability: 'in stock',
  price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g', ...more });
item.images = {};
const N = 10;
const set = (...without) => w.merchant.files.set('/r.xml', { body: rss('g', Array.from({ length: N }, (_, i) => i).filter((i) => !without.includes(i)).map((i) => item(i, item.more?.[i]))) });
const policies = (removed = {}) => ({ price: { source: 'feed' }, stock: { source: 'feed' }, removed_products: { action: 'deactivate', hold_above_percent: 50, hold_above_count: 2, ...removed } });
const put = (removed) => w.must('PUT', `/v1/clients/${H}`, { name: 'Loja R', tik_tok_shop_feed_link: `${w.merchant.url}/r.xml`, policies: policies(removed) });
const find = (i) => [...tiktok.products.values()].filter((p) => p.skus.some((s) => s.seller_sku === `R${i}`) && p.status !== 'DELETED');
const product = (i) => w.must('GET', `/v1/clients/${H}/products/R${i}`);
const state = (i, ...statuses) => until(`R${i} is ${statuses}`, async () => { const p = await product(i); return statuses.includes(p.status) && p; }).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(i))}`); });
const ended = (id) => until(`run ${id} ends`, async () => { const r = await w.must('GET', `/v1/runs/${id}`); return !['queued', 'running'].includes(r.status) && r; });
const changes = async (id) => (await w.must('GET', `/v1/runs/${id}/changes?limit=200`)).items;
const hurry = () => w.sql("UPDATE products SET shelf_due_at = now() WHERE shelf_due_at IS NOT NULL; UPDATE jobs SET due_at = now() WHERE state = 'ready' AND kind IN ('product_shelf', 'product_audit'); UPDATE shop_schedule SET due_at = now()");

await put();
await w.connect(H, 'seller-r');

await test('ten products are live', async () => {
  set();
  same((await w.run(H)).status, 'succeeded', 'run');
  for (let i = 0; i < N; i++) await state(i, 'live');
});

await test('one feed without a product removes nothing; the second takes it off sale', async () => {
  set(0);
  let from = tiktok.calls.length;
  let run = await w.run(H);
  same([run.status, run.progress.removed], ['succeeded', 0], 'first run');
  same(w.writes(from).map((c) => c.name), [], 'calls of the first');
  ok((await changes(run.id)).some((c) => c.source_id === 'R0' && c.action === 'remove' && c.outcome === 'skipped'), 'the first run says that it noticed');
  from = tiktok.calls.length;
  run = await w.run(H);
  same([run.status, run.progress.removed, run.progress.total], ['succeeded', 1, 10], `second run ${JSON.stringify(run)}`);
  same(w.writes(from).map((c) => c.name), ['deactivate_products'], 'calls of the second');
  await state(0, 'deactivated');
  same(find(0)[0].status, 'SELLER_DEACTIVATED', 'at TikTok');
  const line = (await changes(run.id)).find((c) => c.source_id === 'R0');
  same([line.field, line.old, line.new, line.action, line.outcome], ['status', 'live', 'deactivated', 'remove', 'published'], 'line');
  from = tiktok.calls.length;
  await w.run(H);
  same(w.writes(from).length, 0, 'a third feed without it says nothing again');
});

await test('a product that returns is put on sale again and brought up to date', async () => {
  item.more = { 0: { title: 'Caneca que voltou', price: '61.00 BRL' } };
  set();
  const from = tiktok.calls.length;
  const run = await w.run(H);
  same(run.status, 'succeeded', JSON.stringify(run));
  await state(0, 'live');
  await until('it is up to date', () => { hurry(); const p = find(0)[0]; return p.status === 'ACTIVATE' && p.title === 'Caneca que voltou' && p.skus[0].price.amount === '61.00'; });
  const names = w.writes(from).map((c) => c.name);
  same(names.filter((n) => n === 'activate_product').length, 1, 'activations');
  ok(!names.includes('create_product'), 'no create');
  same(find(0).length, 1, 'products');
});

await test('more removals than the limit wait for a person; approve releases them', async () => {
  set(1, 2, 3);
  await w.run(H);
  const from = tiktok.calls.length;
  const run = await w.run(H);
  same([run.status, run.problem?.code, run.progress.held], ['held', 'removals_held', 3], JSON.stringify(run));
  ok(/^3 of 10 products/.test(run.problem.detail), run.problem.detail);
  same((await changes(run.id)).filter((c) => c.outcome === 'held').map((c) => c.source_id).sort(), ['R1', 'R2', 'R3'], 'held lines');
  same(w.writes(from).length, 0, 'calls');
  set(1, 2); // one of them comes back meanwhile
  const next = await w.run(H);
  same(next.status, 'succeeded', `what waits already does not hold the next run ${JSON.stringify(next)}`);
  const approved = await w.must('POST', `/v1/runs/${run.id}/approve`);
  ok(['running', 'succeeded'].includes(approved.status), JSON.stringify(approved));
  const last = await ended(run.id);
  same([last.status, last.progress.removed, last.progress.held], ['succeeded', 2, 0], JSON.stringify(last));
  same([find(1)[0].status, find(2)[0].status, find(3)[0].status], ['SELLER_DEACTIVATED', 'SELLER_DEACTIVATED', 'ACTIVATE'], 'at TikTok');
  same(tiktok.calls.slice(from).filter((c) => c.name === 'deactivate_products').map((c) => c.json.product_ids.length), [2], 'one call for both');
  same((await changes(run.id)).filter((c) => c.action === 'remove').map((c) => [c.source_id, c.outcome]).sort(), [['R1', 'published'], ['R2', 'published'], ['R3', 'superseded']], 'lines');
  same((await w.api('POST', `/v1/runs/${run.id}/approve`)).status, 409, 'a second approval');
  same((await w.api('POST', `/v1/runs/${next.id}/approve`)).json.code, 'run_not_held', 'a run that holds nothing');
});

await test('a hold that a person cancels is not asked again', async () => {
  await put({ hold_above_count: 0 });
  set(1, 2, 4);
  await w.run(H);
  const run = await w.run(H);
  same([run.status, run.progress.held], ['held', 1], JSON.stringify(run));
  await w.must('POST', `/v1/runs/${run.id}/cancel`);
  same((await w.run(H)).status, 'succeeded', 'the next run');
  same(find(4)[0].status, 'ACTIVATE', 'at TikTok');
  await put();
});

await test('action keep keeps', async () => {
  await put({ action: 'keep' });
  set(1, 2, 4, 5);
  const from = tiktok.calls.length;
  await w.run(H);
  same((await w.run(H)).status, 'succeeded', 'run');
  same([w.writes(from).length, find(5)[0].status], [0, 'ACTIVATE'], 'calls and state');
  await put();
  set();
  await w.run(H);
  for (let i = 0; i < N; i++) await state(i, 'live');
});

await test('an item refused inside a code 0 is that product\'s problem; the other goes', async () => {
  const original = tiktok.deactivate_products;
  tiktok.deactivate_products = function (c) {
    const bad = find(6)[0].id;
    const rest = c.json.product_ids.filter((id) => id !== bad);
    if (rest.length) original.call(this, { ...c, json: { product_ids: rest } });
    return this.answer(0, 'Success', c.json.product_ids.includes(bad) ? { errors: [{ code: 12052371, message: 'Auction product is bidding', detail: { product_id: bad } }] } : {});
  };
  set(6, 7);
  await w.run(H);
  const run = await w.run(H);
  same([run.status, run.progress.removed, run.progress.failed], ['partial', 1, 1], JSON.stringify(run));
  same([find(6)[0].status, find(7)[0].status], ['ACTIVATE', 'SELLER_DEACTIVATED'], 'at TikTok');
  const p = await product(6);
  ok(p.status === 'live' && p.problems.some((x) => x.code === 'deactivation_refused' && x.platform_code === 12052371), JSON.stringify(p));
  tiktok.deactivate_products = original;
});

await test('an internal error of one item is tried again and then done', async () => {
  const original = tiktok.deactivate_products;
  let left = 1;
  tiktok.deactivate_products = function (c) {
    if (left-- > 0) return this.answer(0, 'Success', { errors: c.json.product_ids.map((id) => ({ code: 36009003, message: 'Internal error', detail: { product_id: id } })) });
    return original.call(this, c);
  };
  await w.must('POST', `/v1/clients/${H}/products/R6/deactivate`);
  await until('the first refusal shows', async () => (await product(6)).problems.some((x) => x.code === 'deactivation_refused'));
  await until('it is off sale', async () => { hurry(); return find(6)[0].status === 'SELLER_DEACTIVATED' && (await product(6)).status === 'deactivated'; });
  same((await product(6)).problems.filter((x) => /refused/.test(x.code)), [], 'problems');
  tiktok.deactivate_products = original;
});

await test('no feed undoes an operator\'s deactivation; activate does', async () => {
  await w.must('POST', `/v1/clients/${H}/products/R8/deactivate`);
  await state(8, 'deactivated');
  item.more = { ...item.more, 8: { price: '77.00 BRL', title: 'Caneca parada' } };
  set();
  const from = tiktok.calls.length;
  same((await w.run(H)).status, 'succeeded', 'run');
  same([find(8)[0].status, find(8)[0].title], ['SELLER_DEACTIVATED', 'Caneca número 8'], 'at TikTok');
  ok(!w.writes(from).some((c) => c.path.includes(find(8)[0].id) || c.json?.product_ids?.includes(find(8)[0].id)), 'no call for it');
  await w.must('POST', `/v1/clients/${H}/products/R8/activate`);
  await until('it is back and up to date', () => { hurry(); return find(8)[0].status === 'ACTIVATE' && find(8)[0].skus[0].price.amount === '77.00'; }).catch(async (e) => { const t = find(8)[0]; throw new Error(`${e.message} ${JSON.stringify([await product(8), t.status, t.audit, t.title, t.skus[0].price, w.sql("SELECT kind, entity, state, due_at - now(), outcome FROM jobs")])}`); });
  await state(8, 'live');
});

await test('what an operator deleted stays in the list, and only a person makes it again', async () => {
  const old = find(9)[0].id;
  await w.must('POST', `/v1/clients/${H}/products/R9/delete`);
  await state(9, 'deleted');
  same(tiktok.products.get(old).status, 'DELETED', 'at TikTok');
  item.more = { ...item.more, 9: { title: 'Caneca apagada' } };
  set();
  const from = tiktok.calls.length;
  await w.run(H);
  same(w.writes(from).map((c) => c.name), [], 'calls');
  await w.must('POST', `/v1/clients/${H}/products/R9/publish`);
  await state(9, 'live');
  same(find(9).map((p) => [p.id !== old, p.title]), [[true, 'Caneca apagada']], 'a new product');
});

await test('a process killed after the call goes on without a second removal', async () => {
  await w.connector.kill();
  w.env.FAULT_COUNT = '1';
  w.connector = new Process('strict', ['serve'], w.env);
  await until('connector is ready', async () => (await request('GET', `http://127.0.0.1:${w.opsPort}/readyz`)).status === 200, 20000);
  set(3, 4);
  await w.run(H);
  const r = await w.must('POST', `/v1/clients/${H}/sync/products`, {});
  await w.connector.exited;
  same([find(3)[0].status, find(4)[0].status], ['SELLER_DEACTIVATED', 'SELLER_DEACTIVATED'], 'at TikTok, after the kill');
  w.env.FAULT_COUNT = '1000000';
  // TikTok takes products that are on sale only.
  const original = tiktok.deactivate_products;
  tiktok.deactivate_products = function (c) {
    const off = c.json.product_ids.filter((id) => this.products.get(id).status !== 'ACTIVATE');
    if (off.length) return this.answer(0, 'Success', { errors: off.map((id) => ({ code: 12052901, message: 'status', detail: { product_id: id } })) });
    return original.call(this, c);
  };
  w.connector = new Process('strict', ['serve'], w.env);
  const run = await ended(r.run_id);
  same([run.status, run.progress.removed, run.progress.failed], ['succeeded', 2, 0], JSON.stringify(run));
  for (const i of [3, 4]) same((await product(i)).problems.filter((x) => /refused/.test(x.code)), [], 'problems');
  tiktok.deactivate_products = original;
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
