// test_shadow.mjs - a client in shadow mode looks on while another system works: it says what it would do and writes nothing,
// whoever asks for it. Judged by the strict platforms, which count every writing call.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { CAT, furnish, rss } from '../strict/merchant.mjs';

const H = 'sombra-loja';
const SHOP = '7000000000000000901';
const w = await World.start({ ORDER_POLL_SECONDS: '3600' });
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-sombra', [SHOP]);
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 8) });
const item = (id, title) => ({ id, title, description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price: '50.00 BRL', inventory: '5', product_type: 'Casa > Canecas', shipping_weight: '300 g' });
w.merchant.files.set('/s.xml', { body: rss('s', [item('OLD', 'Caneca antiga'), item('MISSED', 'Caneca esquecida')]) });
// What the other system has listed.
const old = tiktok.people(SHOP, { category_id: CAT.mug, title: 'Caneca antiga', package_dimensions: { length: '10', width: '10', height: '10', unit: 'CENTIMETER' }, skus: [{ seller_sku: 'OLD' }] });
const path = `/v1/clients/${H}`;
const CLIENT = { name: 'Loja Sombra', tik_tok_shop_feed_link: `${w.merchant.url}/s.xml`, policies: { shadow: true, price: { source: 'feed' }, stock: { source: 'feed' } } };
const attempts = () => Number(w.sql("SELECT count(*) FROM outbound_calls WHERE writes AND operation <> 'get_access_token'"));
const idle = () => until('nothing waits', () => w.sql("SELECT count(*) FROM jobs WHERE state <> 'parked' AND due_at <= now() AND kind IN ('feed_read','product_publish','reconcile','order_import','product_shelf')") === '0');

// The feed is stored once, before the client only looks on.
await w.must('PUT', path, { ...CLIENT, policies: { ...CLIENT.policies, shadow: false, sync: { products: false, orders: false } } });
await w.connect(H, 'seller-sombra');
await until('what the other system listed is known', async () => (await w.must('GET', `${path}/unlinked-skus`)).items.some((u) => u.seller_sku === 'OLD'));
await w.run(H, 'products');
await w.must('PUT', path, CLIENT);

await test('the mode is shown, and off unless it is asked for', async () => {
  same((await w.must('GET', path)).policies.shadow, true, 'shown');
  same((await w.must('PUT', '/v1/clients/sombra-outra', { ...CLIENT, policies: {} })).policies.shadow, false, 'default');
});

await test('a trigger becomes a dry run and says what it would list', async () => {
  const run = await w.run(H, 'products');
  same([run.dry_run, run.status], [true, 'succeeded'], JSON.stringify(run));
  const { items } = await w.must('GET', `/v1/runs/${run.id}/changes`);
  ok(items.every((c) => c.outcome === 'planned'), JSON.stringify(items));
  w.merchant.files.set('/s.xml', { body: rss('s', [item('OLD', 'Caneca antiga'), item('MISSED', 'Caneca esquecida'), item('NEXT', 'Caneca seguinte')]) });
  const next = await w.run(H, 'products');
  const planned = (await w.must('GET', `/v1/runs/${next.id}/changes`)).items;
  ok(next.dry_run && planned.some((c) => c.source_id === 'NEXT' && c.outcome === 'planned'), JSON.stringify(planned));
  same((await w.products(H)).map((p) => p.source_id).sort(), ['MISSED', 'OLD'], 'what is stored');
});

await test('a comparison says what the other system did alike', async () => {
  const run = await w.run(H, 'reconcile');
  same([run.dry_run, run.status], [true, 'succeeded'], JSON.stringify(run));
  const { items } = await w.must('GET', `/v1/runs/${run.id}/changes`);
  same(items.filter((c) => c.action === 'link').map((c) => [c.source_id, c.new]), [['OLD', old.id]], JSON.stringify(items));
  ok((await w.products(H)).every((p) => p.tiktok_product_id === null), 'and links nothing');
});

await test('nothing is written, whoever asks for it', async () => {
  for (const [method, at] of [['POST', `${path}/products/MISSED/publish`], ['POST', `${path}/products/OLD/publish`], ['POST', `${path}/orders/576461413038785901/import`]])
    await w.api(method, at, {});
  await idle();
  same([w.writes().length, attempts()], [0, 0], `${JSON.stringify(w.writes().map((c) => c.name))} attempts`);
  w.noViolations();
});

await test('a write that gets as far as the gate is refused there', async () => {
  w.sql(`UPDATE clients SET policies = policies - 'shadow' WHERE client_id = '${H}'`);
  await w.must('POST', `${path}/products/MISSED/publish`, {});
  await until('it is listed', async () => w.writes().some((c) => c.name === 'create_product'));
  await until('it is live', async () => (await w.products(H)).find((p) => p.source_id === 'MISSED').status === 'live');
  await w.must('PATCH', path, { policies: { shadow: true } });
  const before = w.writes().length;
  await w.must('POST', `${path}/products/MISSED/deactivate`, {});
  await until('it is refused', () => w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_shelf' AND state = 'ready' AND due_at <= now()") === '0' && w.sql("SELECT count(*) FROM jobs WHERE kind = 'product_shelf' AND state = 'running'") === '0');
  same(w.writes().length, before, 'calls that write');

});

await test('without the mode the same trigger works', async () => {
  await w.must('PATCH', path, { policies: { shadow: false } });
  const run = await w.run(H, 'reconcile');
  same(run.dry_run, false, JSON.stringify(run));
  await until('the other product is linked', async () => (await w.products(H)).find((p) => p.source_id === 'OLD').tiktok_product_id === old.id);
});
await end();
