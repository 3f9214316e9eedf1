// REST as interfaces say: who may call, what bad input gets, problem documents, runs, jobs.
import { CLIENT, Stack, TOKENS, end, ok, request, same, test, until } from './lib.mjs';

const s = await Stack.start({ env: { ORDER_POLL_SECONDS: '3600' } });

function problem(r, status, code) {
  same(r.status, status, `status (${r.text.slice(0, 300)})`);
  ok(r.headers['content-type'].startsWith('application/problem+json'), `content type ${r.headers['content-type']}`);
  for (const key of ['type', 'title', 'status', 'detail', 'instance', 'code', 'retryable', 'request_id'])
    ok(key in r.json, `problem lacks ${key}: ${r.text}`);
  same(r.json.type, `https://tiktok-shop-connector.example/problems/${r.json.code}`, 'type');
  if (code) same(r.json.code, code, 'code');
}

await test('nothing but the open routes answers without a token', async () => {
  for (const [method, path] of [['GET', '/v1/clients'], ['PUT', `/v1/clients/${CLIENT}`], ['GET', '/v1/jobs'], ['POST', `/v1/clients/${CLIENT}/sync/products`], ['GET', '/v1/runs/x']]) {
    const r = await s.api(method, path, method === 'GET' ? undefined : {}, { token: null });
    problem(r, 401);
    ok(r.headers['www-authenticate'], 'www-authenticate');
    problem(await s.api(method, path, method === 'GET' ? undefined : {}, { token: 'wrong-token-0000' }), 401);
  }
});

await test('a client is created, replaced, patched and shown without its secrets', async () => {
  const created = await s.api('PUT', `/v1/clients/${CLIENT}`, { name: 'Loja', vtex: { account: 'lojaexemplo', app_key: 'k-secret-1', app_token: 't-secret-1', sales_channel: '3', affiliate_id: 'TTK' } });
  same(created.status, 201, `created (${created.text.slice(0, 300)})`);
  ok(created.json.vtex.hook_secret && created.json.vtex.hook_secret !== '***', 'the hook secret is shown once');
  const again = await s.api('PUT', `/v1/clients/${CLIENT}`, { name: 'Loja 2', vtex: { account: 'lojaexemplo', app_key: 'k-secret-1', app_token: 't-secret-1', sales_channel: '3', affiliate_id: 'TTK' } });
  same(again.status, 200, 'replaced');
  const shown = await s.must('GET', `/v1/clients/${CLIENT}`);
  same([shown.vtex.app_key, shown.vtex.app_token, shown.vtex.hook_secret], ['***', '***', '***'], 'secrets');
  same(shown.policies.price, { source: 'vtex', markup_percent: '0', add_amount: '0.00', round_to: '0.01', minimum: '0.50', maximum: null, hold_change_above_percent: null }, 'default price policy');
  same(shown.policies.stock, { source: 'vtex', reserve: 0, percent: 100, maximum: 9999, unlimited_as: 999, warehouses: null }, 'default stock policy');
  const r = await s.api('PATCH', `/v1/clients/${CLIENT}`, { policies: { stock: { reserve: 2 } } }, { headers: { 'content-type': 'application/merge-patch+json' } });
  same([r.status, r.json?.policies?.stock?.reserve, r.json?.name], [200, 2, 'Loja 2'], `patch (${r.text.slice(0, 200)})`);
  const stale = await s.api('PATCH', `/v1/clients/${CLIENT}`, { name: 'X' }, { headers: { 'if-match': '"0"' } });
  problem(stale, 412);
  const stored = s.sql("SELECT row_to_json(c)::text FROM clients c");
  ok(!stored.includes('secret-1'), 'credentials are sealed');
});

await test('wrong input names the field', async () => {
  for (const [body, field] of [[{ name: 'x', colour: 1 }, 'colour'], [{ name: 5 }, 'name'], [{}, 'name'],
    [{ name: 'x', policies: { price: { markup_percent: 5 } } }, 'policies.price.markup_percent'],
    [{ name: 'x', policies: { stock: { percent: 101 } } }, 'policies.stock.percent'],
    [{ name: 'x', vtex: { account: 'Loja Exemplo!', app_key: 'k', app_token: 't' } }, 'vtex.account'],
    [{ name: 'x', tik_tok_shop_feed_link: 'ftp://x/y' }, 'tik_tok_shop_feed_link']]) {
    const r = await s.api('PUT', '/v1/clients/another-client', body);
    problem(r, 400);
    ok(r.json.errors?.some((e) => e.field === field), `field ${field}: ${r.text}`);
  }
  problem(await s.api('PUT', '/v1/clients/another-client', '{"name": "x"'), 400);
  problem(await s.api('PUT', '/v1/clients/another-client', '{"name": "x", "name": "y"}'), 400);
  problem(await s.api('PUT', '/v1/clients/short', { name: 'x' }), 400);
  ok([413].includes((await s.api('PUT', '/v1/clients/another-client', `{"name": "${'x'.repeat(1200000)}"}`).catch(() => ({ status: 413 }))).status), 'too large');
});

await test('paths match exactly and methods are named', async () => {
  for (const path of ['/v1/clients/', '/v1//clients', '/V1/clients', '/v1/clients/%2e%2e/x', '/v1/clients/a%2fb', '/v1/clients;x', '/nope', '/livez', '/metrics', '/v1/../v1/clients'])
    same((await s.api('GET', path)).status, 404, path);
  const r = await s.api('DELETE', '/v1/clients');
  problem(r, 405);
  ok(/GET/.test(r.headers.allow), `Allow: ${r.headers.allow}`);
});

await test('scopes', async () => {
  same((await s.api('GET', '/v1/clients', undefined, { token: TOKENS.read })).status, 200, 'read reads');
  problem(await s.api('POST', `/v1/clients/${CLIENT}/sync/products`, {}, { token: TOKENS.read }), 403);
  problem(await s.api('PUT', `/v1/clients/${CLIENT}`, { name: 'x' }, { token: TOKENS.sync }), 403);
  problem(await s.api('GET', '/v1/clients/not-a-client', undefined), 404);
  problem(await s.api('GET', '/v1/clients/not-a-client/products', undefined), 404);
});

await test('a run without a shop fails in words', async () => {
  await s.client();
  const r = await s.api('POST', `/v1/clients/${CLIENT}/sync/products`, {}, { token: TOKENS.sync, headers: { prefer: 'wait=20' } });
  if (r.status === 409 || r.status === 422) problem(r, r.status);
  else {
    const run = r.status === 200 ? r.json : await until('run ends', async () => { const x = await s.must('GET', `/v1/runs/${r.json.run_id}`); return x.status === 'failed' && x; });
    same(run.status, 'failed', 'status');
    same(run.problem.code, 'no_connected_shop', 'code');
  }
});

await test('Prefer: wait gives the finished run; asking twice makes one waiting and one running', async () => {
  await s.connect();
  const r = await s.api('POST', `/v1/clients/${CLIENT}/sync/products`, {}, { token: TOKENS.sync, headers: { prefer: 'wait=60' } });
  ok([200, 202].includes(r.status), `status ${r.status}`);
  if (r.status === 200) same(r.json.progress.done, r.json.progress.total, 'done');
  const runs = new Set();
  for (let i = 0; i < 5; i++) runs.add((await s.must('POST', `/v1/clients/${CLIENT}/sync/products`, {})).run_id);
  ok(runs.size <= 2, `runs opened by five calls: ${runs.size}`);
  for (const id of runs) await until('run ends', async () => ['succeeded', 'partial'].includes((await s.must('GET', `/v1/runs/${id}`)).status));
});

await test('lists page by cursor', async () => {
  const first = await s.api('GET', `/v1/clients/${CLIENT}/products?limit=10`);
  same(first.status, 200, first.text.slice(0, 200));
  same(first.json.items.length, 10, 'items');
  ok(first.json.next && /rel="?next"?/.test(first.headers.link), `Link: ${first.headers.link}`);
  const live = await s.must('GET', `/v1/clients/${CLIENT}/products?status=live`);
  ok(live.items.every((p) => p.status === 'live'), 'filter');
  problem(await s.api('GET', `/v1/clients/${CLIENT}/products?colour=1`), 400);
  const one = await s.must('GET', `/v1/clients/${CLIENT}/products/${encodeURIComponent(live.items[0].source_id)}`);
  same(one.source_id, live.items[0].source_id, 'one product');
});

await test('jobs, runs, logs and events can be looked at', async () => {
  for (const path of ['/v1/jobs', `/v1/clients/${CLIENT}/runs`, `/v1/clients/${CLIENT}/logs/product`, `/v1/clients/${CLIENT}/logs/order`, `/v1/clients/${CLIENT}/events`])
    ok(Array.isArray((await s.must('GET', path)).items), path);
  const logs = await s.must('GET', `/v1/clients/${CLIENT}/logs/product`);
  for (const key of ['at', 'entity', 'old', 'new', 'outcome', 'platform_code', 'request_id', 'run_id', 'message']) ok(key in logs.items[0], `log row lacks ${key}`);
});

await test('health and metrics stand on the operations port only', async () => {
  const ops = `http://127.0.0.1:${s.connector.ports.ops}`;
  for (const path of ['/livez', '/readyz', '/metrics']) same((await request('GET', ops + path)).status, 200, path);
  same((await request('GET', `${ops}/v1/clients`)).status, 404, 'REST on the operations port');
});
await test('every exchange kept to both contracts', () => s.noViolations());
await end();
