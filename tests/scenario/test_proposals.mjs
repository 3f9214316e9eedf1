// What TikTok proposes to make listings better: asked for, shown beside today's values, sent only after an approval,
// and left alone by the next reading of the feed. Judged by the strict platforms.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { OPTIMIZE_SCOPE } from '../strict/better_tiktok.mjs';

const H = 'strict-loja-better';
const SHOP = '7000000000000000808';
const TOKEN = { token: 'sync-token-0123456789' };
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-better', [SHOP]);

let seed = 800;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(400, 400, ++seed) });
  return w.merchant.url + path;
};
const base = { link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', description: '<p>Boa caneca</p>', brand: 'Aurora', shipping_weight: '300 g' };
let items = [
  { ...base, id: 'B1', title: 'Caneca B1', image_link: img('b1'), additional_image_link: [img('b1-b')] },
  { ...base, id: 'B2', title: 'Caneca B2', image_link: img('b2') },
  { ...base, id: 'B3', title: 'Caneca B3', image_link: img('b3') },
  { ...base, id: 'B4', title: 'Caneca B4 REPROVAR', image_link: img('b4') },
];
const publishFeed = () => { w.merchant.files.set('/b.xml', { body: rss('zz', items) }); return `${w.merchant.url}/b.xml`; };
await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Better', tik_tok_shop_feed_link: publishFeed(), policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(H, 'seller-better');

const C = `/v1/clients/${H}`;
const find = (sku) => [...tiktok.products.values()].find((p) => p.skus.some((s) => s.seller_sku === sku));
const product = (id) => w.must('GET', `${C}/products/${id}`);
const state = (id, status) => until(`${id} is ${status}`, async () => { const p = await product(id); return p.status === status && p; }, 30000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
const edit = (id, fields) => { items = items.map((i) => (i.id === id ? { ...i, ...fields } : i)); publishFeed(); };
const ended = (id) => until(`run ${id} ends`, async () => { const x = await w.must('GET', `/v1/runs/${id}`); return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(x.status) && x; }, 30000);
async function ask(path, body) {
  const r = await w.api('POST', `${C}${path}`, body, TOKEN);
  same(r.status, 202, r.text);
  same(r.headers.location, `/v1/runs/${r.json.run_id}`, 'Location');
  return ended(r.json.run_id);
}
const proposals = async (path) => (await w.must('GET', `${C}${path}`)).items;
const decide = (p, what, body) => w.api('POST', `${C}/proposals/${p.id}/${what}`, body, TOKEN);
const get = (p) => w.must('GET', `${C}/proposals/${p.id}`);
const reaches = (p, want) => until(`proposal ${p.id} is ${want}`, async () => { const x = await get(p); return x.state === want && x; }, 15000).catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await get(p))}`); });
const called = (from) => tiktok.calls.slice(from).map((c) => c.name).filter((n) => /diagnos|seo|recommended|optimized/.test(n)).sort();

await test('the shop sells', async () => {
  await w.run(H);
  for (const id of ['B1', 'B2', 'B3']) await state(id, 'live');
  await state('B4', 'rejected');
});

await test('a scope that the seller did not give is said on the proposal; the shop works on', async () => {
  const from = tiktok.calls.length;
  const run = await ask('/products/B1/proposals');
  same([run.kind, run.status], ['proposals', 'succeeded'], JSON.stringify(run));
  const list = await proposals('/products/B1/proposals?state=refused');
  same(list.map((p) => [p.kind, p.problem.code]).sort(), [['diagnosis', 'scope_missing'], ['recommendation', 'scope_missing']], JSON.stringify(list));
  ok(list[0].problem.message.includes(OPTIMIZE_SCOPE) && list[0].problem.action && list[0].problem.message_pt, JSON.stringify(list[0]));
  same(called(from), ['get_products_seo_words', 'optimized_images'], 'calls');
  same((await w.must('GET', `${C}/shops`)).items[0].paused, null, 'paused');
});

await test('TikTok itself says that the scope is missing: the same, and no pause', async () => {
  w.sql('UPDATE tiktok_auth_tokens SET scopes = scopes || ARRAY[\'serller.product.optimize\']'); // we believe to have it
  const n = tiktok.violations.length;
  await ask('/products/B1/proposals', { kinds: ['recommendation'] });
  tiktok.violations.splice(n);
  const [p] = await proposals('/products/B1/proposals?state=refused');
  same([p.kind, p.problem.code, !!p.request_id], ['recommendation', 'scope_missing', true], JSON.stringify(p));
  same((await w.must('GET', `${C}/shops`)).items[0].paused, null, 'paused');
  tiktok.sellers.get('seller-better').scopes.push(OPTIMIZE_SCOPE);
});

let b1;
await test('each proposal stands beside what is there today; nothing is sent', async () => {
  const from = tiktok.calls.length;
  const run = await ask('/proposals', { source_ids: ['B1', 'B2', 'B4'] });
  same([run.status, run.progress.total, run.progress.done], ['succeeded', 3, 3], JSON.stringify(run));
  same(called(from), ['diagnose_and_optimize_product', 'get_products_seo_words', 'get_recommended_product_title_and_description', 'optimized_images', 'product_information_issue_diagnosis'], 'one call for all live products');
  same(w.writes(from).length, 0, 'writes');
  b1 = await proposals('/products/B1/proposals?state=proposed');
  const one = (kind, field) => b1.find((p) => p.kind === kind && p.field === field);
  const title = one('diagnosis', 'title');
  same([title.current, title.proposed, title.operation, title.asked_by, title.run_id], ['Caneca B1', 'Caneca B1 Artesanal de Porcelana', 'product_information_issue_diagnosis', 'token:backoffice', run.id], JSON.stringify(title));
  ok(/TITLE_LESS_THAN_40/.test(title.reason) && title.request_id, JSON.stringify(title));
  same(one('seo_words', 'title').proposed, ['caneca', 'porcelana'], 'words');
  same(one('recommendation', 'title'), undefined, 'the same title is proposed once');
  same([one('recommendation', 'description').current, one('recommendation', 'description').proposed], ['<p>Boa caneca</p>', '<p>Boa caneca</p><p>Feita à mão.</p>'], 'description');
  same(one('diagnosis', 'images').proposed, null, 'advice only');
  const picture = one('white_background', 'images');
  same([picture.current.uri, tiktok.images.get(picture.proposed.uri).white], [find('B1').main_images[0].uri, find('B1').main_images[0].uri], JSON.stringify(picture));
  const b4 = await proposals('/products/B4/proposals?state=proposed&field=title');
  same(b4.map((p) => p.operation), ['diagnose_and_optimize_product'], 'a product that is not live is looked at by its content');
  same((await proposals('/proposals?state=proposed')).length, b1.length * 2 + (await proposals('/products/B4/proposals?state=proposed')).length, 'all');
});

await test('an approved title is sent by a partial edit and stays when the feed is read again', async () => {
  const from = tiktok.calls.length;
  const p = b1.find((x) => x.kind === 'diagnosis' && x.field === 'title');
  const r = await decide(p, 'approve');
  same([r.status, r.json.state, r.json.decided_by, r.headers.location], [202, 'approved', 'token:backoffice', `/v1/runs/${r.json.sent_run_id}`], r.text);
  const sent = await reaches(p, 'sent');
  same((await ended(r.json.sent_run_id)).progress.updated, 1, 'run');
  await until('the title', () => find('B1').title === 'Caneca B1 Artesanal de Porcelana');
  same(w.writes(from).map((c) => [c.name, Object.keys(c.json)]), [['partial_edit_product', ['title']]], 'writes');
  ok(sent.sent_request_id && sent.sent_at, JSON.stringify(sent));
  const [change] = (await w.must('GET', `/v1/runs/${r.json.sent_run_id}/changes`)).items;
  same([change.field, change.rule, change.outcome, change.request_id], ['title', 'override: proposal', 'published', sent.sent_request_id], JSON.stringify(change));
  await state('B1', 'live');
  edit('B1', { inventory: '4' });
  await w.run(H);
  await until('stock', () => find('B1').skus[0].inventory[0].quantity === 4);
  same(find('B1').title, 'Caneca B1 Artesanal de Porcelana', 'title');
  same([(await decide(p, 'approve')).json.code, (await decide(p, 'dismiss')).json.code], ['proposal_decided', 'proposal_decided'], 'decided once');
  ok((await w.must('GET', `${C}/audit`)).items.some((a) => a.action === 'proposal_approved' && a.detail.id === p.id && a.who === 'token:backoffice'), 'audit');
  const words = b1.find((x) => x.kind === 'seo_words');
  same((await get(words)).state, 'outdated', 'other proposals for the title were made for the old one');
});

await test('a white-background picture takes the place of the first one', async () => {
  const p = b1.find((x) => x.kind === 'white_background');
  const before = find('B1').main_images;
  same((await decide(p, 'approve')).status, 202, 'approve');
  await reaches(p, 'sent');
  await until('the picture', () => find('B1').main_images[0].uri === p.proposed.uri);
  same(find('B1').main_images.slice(1), before.slice(1), 'the other pictures');
  await state('B1', 'live');
  await w.run(H);
  await w.must('POST', `${C}/products/B1/publish`);
  await until('looked at', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'") === '0');
  same(find('B1').main_images[0].uri, p.proposed.uri, 'it stays');
});

await test('words of a person, made of the search words; advice alone sends nothing', async () => {
  const list = await proposals('/products/B2/proposals?state=proposed');
  const words = list.find((p) => p.kind === 'seo_words');
  const advice = list.find((p) => p.field === 'images' && p.proposed === null);
  same((await decide(words, 'approve')).json.code, 'nothing_to_send', 'a list is no title');
  same((await decide(advice, 'approve')).json.code, 'nothing_to_send', 'advice');
  same((await decide(words, 'approve', { value: 'x'.repeat(301) })).status, 400, 'too long');
  same((await decide(words, 'approve', { value: 'Caneca B2' })).json.code, 'nothing_to_send', 'what is there already');
  same((await decide(words, 'approve', { value: 'Caneca B2 de porcelana 😀' })).status, 202, 'approve');
  await reaches(words, 'sent');
  await until('the title', () => find('B2').title === 'Caneca B2 de porcelana');
  await state('B2', 'live');
  same([(await decide(advice, 'dismiss')).json.state, (await get(advice)).decided_by], ['dismissed', 'token:backoffice'], 'dismissed');
});

await test('a proposal for a value that is gone is not sent', async () => {
  await ask('/products/B3/proposals', { kinds: ['recommendation'] });
  const list = await proposals('/products/B3/proposals?state=proposed');
  const title = list.find((p) => p.field === 'title');
  edit('B3', { title: 'Caneca B3 nova' });
  await w.run(H);
  await until('the new title', () => find('B3').title === 'Caneca B3 nova');
  same((await get(title)).state, 'outdated', 'outdated by the new title');
  await state('B3', 'live');
  const from = tiktok.calls.length;
  same((await decide(title, 'approve')).json.code, 'proposal_decided', 'approve');
  w.sql(`UPDATE product_proposals SET state = 'proposed' WHERE id = ${title.id}`);
  same((await decide(title, 'approve')).json.code, 'proposal_outdated', 'approve compares');
  same([(await get(title)).state, w.writes(from).length], ['outdated', 0], 'nothing sent');
  await ask('/products/B3/proposals', { kinds: ['recommendation'] });
  same((await get(list.find((p) => p.field === 'description'))).state, 'outdated', 'asked again: the older ones are outdated');
});

await test('what TikTok refuses of an approved proposal is said on it, and the source counts again', async () => {
  const title = (await proposals('/products/B3/proposals?state=proposed&field=title'))[0];
  const original = tiktok.partial_edit_product;
  tiktok.partial_edit_product = () => tiktok.answer(12052151, 'property contains restricted words');
  same((await decide(title, 'approve')).status, 202, 'approve');
  const p = await reaches(title, 'refused');
  tiktok.partial_edit_product = original;
  ok(p.problem && p.sent_request_id, JSON.stringify(p));
  same((await proposals('/overrides?source_id=B3')), [], 'nothing is held');
  await w.must('POST', `${C}/products/B3/publish`);
  await until('looked at', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'") === '0');
  same(find('B3').title, 'Caneca B3 nova', 'title');
  same((await product('B3')).problems, [], 'problems');
});

await test('an answer that names none, a picture that cannot be made, a product that TikTok forgot', async () => {
  const { better } = tiktok;
  tiktok.better = { ...better, image: () => 'FAILED', title: (p) => p.title, description: (p) => p.description };
  find('B2').status = 'DELETED';
  const run = await ask('/proposals', { source_ids: ['B2', 'B3'] });
  same(run.progress.done, 2, JSON.stringify(run));
  const b3 = (await proposals('/products/B3/proposals')).filter((p) => p.run_id === run.id);
  same(b3.filter((p) => p.field === 'title' && p.kind !== 'seo_words').map((p) => p.proposed), [null], 'nothing new: advice only');
  same(b3.filter((p) => p.kind === 'white_background').map((p) => [p.state, p.problem.code]), [['refused', 'no_proposal']], JSON.stringify(b3));
  const b2 = (await proposals('/products/B2/proposals?state=refused')).filter((p) => p.run_id === run.id);
  ok(b2.some((p) => p.kind === 'recommendation' && p.problem.platform_code === 12052260), JSON.stringify(b2));
  tiktok.better = better;
});

await test('bad requests are refused with the field', async () => {
  for (const [path, body, status, field] of [['/proposals', {}, 400, 'source_ids'], ['/proposals', { source_ids: ['B1', 'NONE'] }, 400, 'source_ids'], ['/proposals', { source_ids: Array(201).fill('B1') }, 400, 'source_ids'],
    ['/proposals', { source_ids: ['B1'], kinds: ['magic'] }, 400, 'kinds'], ['/products/NONE/proposals', {}, 404]]) {
    const r = await w.api('POST', C + path, body, TOKEN);
    same(r.status, status, `${path} ${r.text}`);
    if (field) same(r.json.errors[0].field, field, r.text);
  }
  same((await w.api('POST', `${C}/proposals/999999/approve`, undefined, TOKEN)).status, 404, 'unknown');
  same((await w.api('POST', `${C}/proposals/${b1[0].id}/approve`, undefined, { token: 'read-token-0123456789' })).status, 403, 'a reader');
});

await test('an Idempotency-Key asks and approves once', async () => {
  const post = (path, body) => w.api('POST', C + path, body, { ...TOKEN, headers: { 'idempotency-key': `better ${path}` } });
  const [first, again] = [await post('/products/B1/proposals', { kinds: ['recommendation'] }), await post('/products/B1/proposals', { kinds: ['recommendation'] })];
  same([again.status, again.json.run_id], [202, first.json.run_id], again.text);
  same((await post('/products/B1/proposals', {})).status, 422, 'another request');
  await ended(first.json.run_id);
  const [p] = await proposals('/products/B1/proposals?state=proposed&field=description');
  const [yes, too] = [await post(`/proposals/${p.id}/approve`, {}), await post(`/proposals/${p.id}/approve`, {})];
  same([yes.status, too.status, too.json.sent_run_id], [202, 202, yes.json.sent_run_id], too.text);
  await reaches(p, 'sent');
  await state('B1', 'live');
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
