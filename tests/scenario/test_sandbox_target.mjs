// target=sandbox sends a client's catalog to its test shop and touches nothing of the live one. Judged by the strict
// TikTok Shop.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const H = 'sandbox-loja';
const [TRIAL, LIVE] = ['7000000000000000121', '7000000000000000122']; // the test shop is connected first
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-s', [TRIAL, LIVE]);
w.merchant.files.set('/img/a.png', { type: 'image/png', body: png(400, 400, 1) });
const base = { link: 'https://loja.example/p', availability: 'in stock', inventory: '10', product_type: 'Casa > Canecas', description: 'Boa', shipping_weight: '300 g', image_link: `${w.merchant.url}/img/a.png` };
const write = (price) => w.merchant.files.set('/s.xml', { body: rss('zz', ['A', 'B'].map((id) => ({ ...base, id, title: `Caneca ${id}`, price }))) });
write('50.00 BRL');
const doc = { name: 'Loja S', tik_tok_shop_feed_link: `${w.merchant.url}/s.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } };

const of = (shop) => [...tiktok.products.values()].filter((p) => p.shop === shop);
const writesTo = (shop, from = 0) => w.writes(from).filter((c) => c.shop === shop).map((c) => c.name);
const list = (target) => w.must('GET', `/v1/clients/${H}/products${target ? `?target=${target}` : ''}`).then((r) => r.items);
async function run(query) {
  const r = await w.must('POST', `/v1/clients/${H}/sync/products${query}`, {});
  return until('the run ends', async () => { const x = await w.must('GET', `/v1/runs/${r.run_id}`); return ['succeeded', 'partial', 'failed'].includes(x.status) && x; });
}

await test('a test shop has to be named and connected', async () => {
  await w.must('PUT', `/v1/clients/${H}`, doc);
  await w.connect(H, 'seller-s');
  const none = await w.api('POST', `/v1/clients/${H}/sync/products?target=sandbox`, {});
  same([none.status, none.json.code], [409, 'no_sandbox_shop'], none.text);
  const strange = await w.api('PUT', `/v1/clients/${H}`, { ...doc, tik_tok_shop_sandbox_shop_id: 'loja' });
  same([strange.status, strange.json.errors[0].field], [400, 'tik_tok_shop_sandbox_shop_id'], strange.text);
  await w.must('PUT', `/v1/clients/${H}`, { ...doc, tik_tok_shop_sandbox_shop_id: '7000000000000000999' });
  const foreign = await w.api('POST', `/v1/clients/${H}/sync/products?target=sandbox`, {});
  same([foreign.status, foreign.json.code], [409, 'no_sandbox_shop'], foreign.text);
  const shown = await w.must('PUT', `/v1/clients/${H}`, { ...doc, tik_tok_shop_sandbox_shop_id: TRIAL });
  same(shown.tik_tok_shop_sandbox_shop_id, TRIAL, 'shown');
});

await test('target=sandbox fills the test shop and leaves the live one alone', async () => {
  const r = await run('?target=sandbox');
  same([r.target, r.status, r.progress.created], ['sandbox', 'succeeded', 2], JSON.stringify(r));
  same(of(TRIAL).map((p) => p.title).sort(), ['Caneca A', 'Caneca B'], 'test shop');
  same([of(LIVE).length, writesTo(LIVE)], [0, []], 'live shop');
  same((await list('sandbox')).map((p) => p.source_id), ['A', 'B'], 'shown as of the test shop');
  same(await list(), [], 'and not among the live ones');
  const explained = await w.api('GET', `/v1/clients/${H}/skus/A/explain`);
  same(explained.status, 404, 'not explained as a live SKU');
  await w.must('GET', `/v1/clients/${H}/skus/A/explain?target=sandbox`);
});

await test('the live catalog goes to the live shop, although the test shop was connected first', async () => {
  await until('the reviews of the test shop', () => of(TRIAL).every((p) => p.status === 'ACTIVATE'));
  await until('the test shop is settled', async () => (await list('sandbox')).every((p) => p.status === 'live'));
  const from = tiktok.calls.length;
  const r = await run('');
  same([r.target, r.progress.created], ['live', 2], JSON.stringify(r));
  same(of(LIVE).length, 2, 'live shop');
  same(writesTo(TRIAL, from), [], 'test shop');
  same((await list()).length, 2, 'live products');
});

await test('a new price travels to the shop that was asked for, and to no other', async () => {
  await until('live', async () => (await list()).every((p) => p.status === 'live'));
  write('60.00 BRL');
  const from = tiktok.calls.length;
  await run('?target=sandbox');
  await until('the new price', () => of(TRIAL).every((p) => p.skus[0].price.amount === '60.00'));
  same([writesTo(LIVE, from), of(LIVE).map((p) => p.skus[0].price.amount)], [[], ['50.00', '50.00']], 'live shop');
  await run('');
  await until('the new price in the live shop', () => of(LIVE).every((p) => p.skus[0].price.amount === '60.00'));
});

await test('a test shop that is disconnected is no target any more', async () => {
  await w.api('DELETE', `/v1/clients/${H}/shops/${TRIAL}`);
  const r = await w.api('POST', `/v1/clients/${H}/sync/products?target=sandbox`, {});
  same([r.status, r.json.code], [409, 'no_sandbox_shop'], r.text);
  ok(/not connected/.test(r.json.detail), r.json.detail);
});

await test('no request broke a contract', () => w.noViolations());
await test('SIGTERM ends it', () => w.connector.stop());
await end();
