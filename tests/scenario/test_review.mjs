// What TikTok's review says is shown with its reasons, in both languages, and a product that was refused anywhere is sent
// again by itself when its source changes; judged by the strict platform.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const [H, SHOP] = ['strict-review', '7000000000000000808'];
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-r', [SHOP]);

let seed = 500;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', description: 'Boa', product_type: 'Casa > Canecas', shipping_weight: '300 g' };
let items = Array.from({ length: 14 }, (_, i) => ({ ...base, id: `R${i}`, title: `Caneca R${i}`, image_link: img(`r${i}`) }));
const offer = () => w.merchant.files.set('/r.xml', { body: rss('g', items) });
const live = (id) => [...tiktok.products.values()].find((p) => p.shop === SHOP && p.external_product_id === id);
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const shows = (id, what) => until(`${id} shows ${what}`, async () => { const p = await product(id); return what(p) && p; }).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
// The judge clears a brand now and then, to see what becomes of it.
const own = (p) => p.problems.filter((x) => x.code !== 'brand_dropped');
const problem = (p, code) => p.problems.find((x) => x.code === code);
const hook = (type, id, data) => w.hook(SHOP, type, JSON.stringify({ product_id: live(id).id, update_time: Math.floor(Date.now() / 1000), ...data }));
async function change(id, fields) {
  items = items.map((i) => (i.id === id ? { ...i, ...fields } : i));
  offer();
  const from = tiktok.calls.length;
  const run = await w.run(H);
  ok(['succeeded', 'partial'].includes(run.status), JSON.stringify(run));
  return () => w.writes(from).map((c) => c.name);
}

items[1] = { ...items[1], title: 'Caneca REPROVAR R1' };
items[2] = { ...items[2], price: '12000.00 BRL' };
items[3] = { ...items[3], title: '🌞' };
offer();
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja R', tik_tok_shop_feed_link: `${w.merchant.url}/r.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
tiktok.shops.get(SHOP).blocked = 'Shipping_Template';

await test('a shop that may not list holds its products with the reason; they go on by themselves when it may', async () => {
  await w.connect(H, 'seller-r');
  await w.run(H);
  const p = await shows('R0', (x) => x.status === 'held' && x.problems.length > 0);
  ok(/Shipping_Template/.test(problem(p, 'shop_not_ready').message) && /ainda não deixa/.test(problem(p, 'shop_not_ready').message_pt), JSON.stringify(p.problems));
  same(w.writes().length, 0, 'writes');
  delete tiktok.shops.get(SHOP).blocked;
  await shows('R0', (x) => x.status === 'live');
  await w.settled(H, 60000);
  w.noViolations();
});

await test('a refused product says why and is sent again when its source changes: by the review', async () => {
  const p = await shows('R1', (x) => x.status === 'rejected');
  const why = problem(p, 'review_refused');
  same([why.field, why.action], ['Product', 'Mude a imagem'], 'position and suggestion');
  ok(/recusou o produto: Proibido vender isto/.test(why.message_pt), why.message_pt);
  await change('R1', { title: 'Caneca aprovada R1' });
  same(own(await shows('R1', (x) => x.status === 'live')), [], 'problems');
});

await test('by a limit, before any call', async () => {
  const created = () => tiktok.calls.filter((c) => c.name === 'create_product').map((c) => c.json?.external_product_id);
  let p = await product('R2');
  same([p.status, problem(p, 'price_range')?.field !== undefined, live('R2')], ['rejected', true, undefined], JSON.stringify(p.problems));
  p = await product('R3');
  same([p.status, problem(p, 'missing_title') !== undefined, live('R3')], ['rejected', true, undefined], JSON.stringify(p.problems));
  ok(!created().includes('R2') && !created().includes('R3'), 'no create');
  await change('R2', { price: '120.00 BRL' });
  await change('R3', { title: 'Caneca com sol 🌞' });
  for (const id of ['R2', 'R3']) await shows(id, (x) => x.status === 'live');
  same(live('R3').title, 'Caneca com sol', 'title without the emoji');
});

await test('by a refusal of TikTok', async () => {
  tiktok.refuse = (json) => (/R99/.test(json.title) ? { code: 12052223, message: 'This category is restricted.' } : null);
  items.push({ ...base, id: 'R99', title: 'Caneca R99', image_link: img('r99') });
  await change('R99', {});
  const p = await shows('R99', (x) => x.status === 'rejected');
  ok(problem(p, 'category_refused').platform_code === 12052223 && /restrita/.test(problem(p, 'category_refused').message_pt), JSON.stringify(p.problems));
  tiktok.refuse = null;
  await change('R99', { description: 'Melhor' });
  await shows('R99', (x) => x.status === 'live' && own(x).length === 0);
  w.noViolations();
});

await test('a refused change of a live product: the earlier version stays, with the reason, and the next change goes out', async () => {
  await change('R4', { title: 'Caneca REPROVAR R4' });
  const p = await shows('R4', (x) => problem(x, 'review_refused'));
  same([p.status, live('R4').title], ['live', 'Caneca R4'], 'the earlier version');
  ok(/versão anterior continua/.test(problem(p, 'review_refused').message_pt), JSON.stringify(p.problems));
  await change('R4', { title: 'Caneca boa R4' });
  await until('title', () => live('R4').title === 'Caneca boa R4');
  await shows('R4', (x) => x.status === 'live' && own(x).length === 0);
});

await test('an approved product that is not listed yet says what it waits for', async () => {
  const t = live('R5');
  Object.assign(t, { status: 'PENDING', audit: 'PRE_APPROVED' });
  await hook(37, 'R5', { audit: { status: 'PRE_APPROVED', pre_approved_reason: 'KYC_PENDING' } });
  let p = await shows('R5', (x) => problem(x, 'review_waits'));
  ok(p.status === 'in_review' && /KYC/.test(problem(p, 'review_waits').message) && /identidade/.test(problem(p, 'review_waits').message_pt), JSON.stringify(p.problems));
  t.waits = ['RESTRICTED_CATEGORY_PENDING'];
  await hook(37, 'R5', { audit: { status: 'PRE_APPROVED' } });
  p = await shows('R5', (x) => /restricted/.test(problem(x, 'review_waits')?.message ?? ''));
  Object.assign(t, { status: 'ACTIVATE', audit: 'APPROVED' });
  await hook(37, 'R5', { audit: { status: 'APPROVED' } });
  same(own(await shows('R5', (x) => x.status === 'live')), [], 'problems');
});

await test('frozen, taken off sale, deleted: shown with the words of the notification, left alone, and back', async () => {
  for (const [id, state, ours, code] of [['R6', 'FREEZE', 'held', 'frozen_by_tiktok'], ['R7', 'PLATFORM_DEACTIVATED', 'deactivated', 'deactivated_by_tiktok'], ['R8', 'DELETED', 'deleted', 'deleted_on_tiktok']]) {
    live(id).status = state;
    await hook(5, id, { status: 'PRODUCT_STATUS_CHANGED', suspended_reason: `Motivo ${id}` });
    const p = await shows(id, (x) => x.status === ours && problem(x, code));
    ok(problem(p, code).message.includes(`Motivo ${id}`) && /Motivo do TikTok: Motivo R/.test(problem(p, code).message_pt), JSON.stringify(p.problems));
  }
  for (const id of ['R6', 'R8']) {
    const calls = await change(id, { description: 'Mais bonita' });
    const p = await shows(id, (x) => own(x).some((y) => /Motivo/.test(y.message)));
    same([calls(), p.status], [[], id === 'R6' ? 'held' : 'deleted'], `${id} is left alone`);
  }
  live('R6').status = 'ACTIVATE';
  await hook(5, 'R6', { status: 'PRODUCT_STATUS_CHANGED', suspended_reason: '' });
  await until('what changed meanwhile goes out', () => /Mais bonita/.test(live('R6').description));
  same(own(await shows('R6', (x) => x.status === 'live')), [], 'problems');
  w.noViolations();
});

await test('a change in Seller Center is noticed and put back by the next publication; an echo of our own is not', async () => {
  await hook(15, 'R9', { change_source: 'OPEN_API', changed_fields: ['title', 'description'] });
  live('R9').title = 'Caneca mudada à mão';
  await hook(15, 'R9', { change_source: 'SELLER_CENTER', changed_fields: ['title', 'size_chart_image', 'others'] });
  const p = await shows('R9', (x) => problem(x, 'changed_on_tiktok'));
  same(own(p).map((x) => [x.code, x.field]), [['changed_on_tiktok', 'title']], 'only what is ours');
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${H}/products/R9/publish`);
  await until('put back', () => live('R9').title === 'Caneca R9');
  same(w.writes(from).map((c) => [c.name, Object.keys(c.json ?? { title: 1 }).filter((k) => k !== 'save_mode')]), [['partial_edit_product', ['title']]], 'one edit of the title');
  await shows('R9', (x) => own(x).length === 0);
});

await test('a low stock of TikTok makes the stock be looked at, and nothing is sent when it is right', async () => {
  const from = tiktok.calls.length;
  const jobs = () => Number(w.sql("SELECT count(*) FROM jobs WHERE kind IN ('product_stock', 'product_publish') AND state <> 'parked'"));
  same((await hook(27, 'R10', { sku_id: live('R10').skus[0].id, current_inventory_status: 'LOW_STOCK', trigger_reason: { alert_type: 'REALTIME', low_stock_threshold: 9 } })).status, 200, 'webhook 27');
  await until('looked at', () => jobs() === 0);
  same(w.writes(from), [], 'writes');
});

await test('what TikTok cleared is a problem with its field, stays one, and makes no loop', async () => {
  const original = tiktok.partial_edit_product;
  tiktok.partial_edit_product = function edit(c) {
    const r = original.call(this, c);
    if (r.body?.data) r.body.data.warnings = [{ message: 'The [brand_id]:123 field is incorrect and has been automatically cleared by the system. Reason: [Brand does not exist]. You can edit it later.' }];
    return r;
  };
  await change('R11', { brand: 'Aurora' });
  let p = await shows('R11', (x) => problem(x, 'brand_dropped'));
  same(problem(p, 'brand_dropped').field, 'brand', 'field');
  tiktok.partial_edit_product = original;
  await until('review ends', () => live('R11').audit !== 'AUDITING');
  const from = tiktok.calls.length;
  await w.must('POST', `/v1/clients/${H}/products/R11/publish`);
  await until('looked at', () => Number(w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish' AND state <> 'parked'")) === 0);
  same(w.writes(from), [], 'an equal publication sends nothing');
  await change('R11', { description: 'Outra' });
  await until('text', () => /Outra/.test(live('R11').description));
  p = await shows('R11', (x) => x.status === 'live');
  ok(problem(p, 'brand_dropped'), `an edit of something else does not hide it: ${JSON.stringify(p.problems)}`);
});

await test('a problem of an earlier try is over when the source goes back', async () => {
  await change('R12', { price: '12000.00 BRL' });
  await shows('R12', (x) => x.status === 'live' && JSON.stringify(x).includes('price_range'));
  await change('R12', { price: '50.00 BRL' });
  await shows('R12', (x) => x.status === 'live' && own(x).length === 0);
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
