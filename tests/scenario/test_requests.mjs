// test_requests.mjs - requests that may come twice or too late: Idempotency-Key on every trigger, If-Match and If-None-Match.
import { end, ok, same, test, until } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const [HASH, OTHER] = ['strict-loja-vezes', 'strict-loja-outra'];
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-vezes', ['7000000000000000801']);
tiktok.addSeller('seller-outra', ['7000000000000000802']);
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 8) });
const FEED = rss('g', [{ id: 'C1', title: 'Caneca Vezes', description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price: '50.00 BRL', inventory: '5', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' }]);
w.merchant.files.set('/vezes.xml', { body: FEED });
const CLIENT = { name: 'Loja Vezes', tik_tok_shop_feed_link: `${w.merchant.url}/vezes.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } };
const path = `/v1/clients/${HASH}`;
const post = (where, key, body) => w.api('POST', where, body, { headers: key ? { 'idempotency-key': key } : {} });
const count = (what) => Number(w.sql(`SELECT count(*) FROM ${what}`));

await test('If-None-Match: * makes a client once; a reader who has it gets 304', async () => {
  const made = await w.api('PUT', path, CLIENT, { headers: { 'if-none-match': '*' } });
  same([made.status, made.headers.etag], [201, '"1"'], 'made');
  same((await w.api('PUT', path, CLIENT, { headers: { 'if-none-match': '*' } })).status, 412, 'again');
  const seen = await w.api('GET', path, undefined, { headers: { 'if-none-match': '"1"' } });
  same([seen.status, seen.text, seen.headers.etag], [304, '', '"1"'], 'unchanged');
  same((await w.api('GET', path, undefined, { headers: { 'if-none-match': '"0", "1"' } })).status, 304, 'one of a list');
  same((await w.api('GET', path, undefined, { headers: { 'if-none-match': '"0"' } })).status, 200, 'another');
});

await test('If-Match changes what the caller saw and nothing newer', async () => {
  same((await w.api('PUT', `/v1/clients/${OTHER}`, CLIENT, { headers: { 'if-match': '*' } })).status, 412, 'nothing there to replace');
  const put = await w.api('PUT', path, CLIENT, { headers: { 'if-match': '"1"' } });
  same([put.status, put.headers.etag], [200, '"2"'], 'PUT');
  const patched = await w.api('PATCH', path, { name: 'Loja Duas Vezes' }, { headers: { 'if-match': '"2"' } });
  same([patched.status, patched.headers.etag, patched.json.name], [200, '"3"', 'Loja Duas Vezes'], 'PATCH');
  same((await w.api('PATCH', path, { name: 'Tarde' }, { headers: { 'if-match': '"2"' } })).status, 412, 'late PATCH');
  same((await w.api('PUT', path, CLIENT, { headers: { 'if-match': '"2"' } })).status, 412, 'late PUT');
  const any = await w.api('PATCH', path, { name: 'Loja Vezes' }, { headers: { 'if-match': '*' } });
  same([any.status, any.headers.etag], [200, '"4"'], 'any');
  same((await w.must('GET', path)).name, 'Loja Vezes', 'what is stored');
});

await w.must('PUT', `/v1/clients/${OTHER}`, { ...CLIENT, name: 'Loja Outra' });
await w.connect(HASH, 'seller-vezes');
await w.connect(OTHER, 'seller-outra');
await w.run(HASH);
await w.settled(HASH);

// Sends twice with the key, then with another request: one entry of work, one answer, 422.
async function twice(what, where, body, other) {
  const before = count('audit');
  const first = await post(where, `key ${what}`, body);
  same(first.status, 202, `${what}: ${first.text}`);
  const done = count('audit');
  ok(done > before, `${what} was done`);
  const again = await post(where, `key ${what}`, body);
  same([again.status, again.text, again.headers.location, again.headers['content-type']], [202, first.text, first.headers.location, first.headers['content-type']], `${what}: the first answer`);
  same(count('audit'), done, `${what} was done once`);
  const reused = await post(other ?? where, `key ${what}`, other ? body : { other: 1 });
  same([reused.status, reused.json.code], [422, 'idempotency_key_reused'], `${what}: another request`);
  same(count('audit'), done, `${what}: nothing more was done`);
}

await test('an order is asked for once by a key, whatever became of it', async () => {
  await twice('import', `${path}/orders/576461413038785801/import`);
  w.sql(`INSERT INTO tiktok_orders (shop_id, order_id, client_id) VALUES ('7000000000000000801', '576461413038785803', '${HASH}')`);
  await twice('resync', `${path}/orders/576461413038785803/resync`);
});

await test('a product is published once by a key', () => twice('publish', `${path}/products/C1/publish`, {}, `${path}/products/C9/publish`));

await test('a job is retried once by a key, also when it is gone by then', async () => {
  w.sql("UPDATE jobs SET due_at = now() + interval '1 day' WHERE kind = 'order_poll'");
  const job = (await w.must('GET', `/v1/jobs?kind=order_poll&client_hash=${HASH}`)).items[0];
  await twice('retry', `/v1/jobs/${job.id}/retry`);
  w.sql(`DELETE FROM jobs WHERE id = ${job.id} AND state <> 'running'`);
  same((await post(`/v1/jobs/${job.id}/retry`, 'key retry')).status, 202, 'the first answer stays');
  await twice('retry all', '/v1/jobs/retry', { kind: 'order_poll' });
});

await test('an event is replayed once by a key', async () => {
  same((await w.hook('7000000000000000801', 1, '{"order_id":"576461413038785802","order_status":"UNPAID","update_time":1780282800}')).status, 200, 'webhook');
  const event = await until('the event', async () => (await w.must('GET', `${path}/events`)).items[0]);
  await twice('replay', `${path}/events/${event.id}/replay`);
});

await test('a run keeps its key; the key of one trigger does not open another', async () => {
  const first = await post(`${path}/sync/products`, 'key run', {});
  same(first.status, 202, first.text);
  await until('it ends', async () => (await w.must('GET', `/v1/runs/${first.json.run_id}`)).finished_at);
  same((await post(`${path}/sync/products`, 'key run', {})).json.run_id, first.json.run_id, 'the first run');
  same((await post(`${path}/sync/products`, 'key run', { url: 'https://loja.example/outra.xml' })).status, 422, 'another body');
  same((await post(`${path}/orders/576461413038785801/import`, 'key run')).status, 422, 'another trigger');
  same((await post(`${path}/sync/products`, 'key import', {})).status, 422, 'and the other way round');
});

await test('a run is put back once by a key', async () => {
  w.merchant.files.set('/vezes.xml', { body: FEED.replace('50.00 BRL', '60.00 BRL') });
  const run = await w.run(HASH);
  await w.settled(HASH);
  const back = await post(`/v1/runs/${run.id}/revert`, 'key revert');
  same(back.status, 202, back.text);
  await until('it is put back', async () => (await w.must('GET', `/v1/runs/${back.json.run_id}`)).finished_at);
  const again = await post(`/v1/runs/${run.id}/revert`, 'key revert');
  same([again.status, again.json.run_id, again.headers.location], [202, back.json.run_id, back.headers.location], 'the first run');
  same((await post(`/v1/runs/${run.id}/revert?dry_run=true`, 'key revert')).status, 422, 'another request');
  same((await post(`/v1/runs/${run.id}/revert`, 'key revert 2')).status, 409, 'another key asks anew');
});

await test('keys belong to their client, and a refusal leaves its key free', async () => {
  same((await post(`/v1/clients/${OTHER}/orders/576461413038785801/import`, 'key import')).status, 202, 'the same key of another client');
  same((await post(`${path}/products/C9/publish`, 'key free')).status, 404, 'refused');
  same((await post(`${path}/products/C1/publish`, 'key free')).status, 202, 'still free');
  same((await post(`${path}/products/C1/publish`, 'x'.repeat(129))).status, 400, 'a key that is too long');
});

await test('two requests at once with one key do the work once', async () => {
  const before = count("audit WHERE action = 'product_publish'");
  const all = await Promise.all(Array.from({ length: 8 }, () => post(`${path}/products/C1/publish`, 'key race', {})));
  same([...new Set(all.map((r) => `${r.status} ${r.text}`))].length, 1, all.map((r) => r.status).join());
  same(count("audit WHERE action = 'product_publish'") - before, 1, 'done');
});

await test('no request broke a contract', () => w.noViolations());
await end();
