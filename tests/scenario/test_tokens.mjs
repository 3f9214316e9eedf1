// Tokens: one refresh for many expired calls, both tokens kept; deauthorization parks; an ending authorization shows.
import { CLIENT, Stack, end, ok, request, same, test, until } from './lib.mjs';

const s = await Stack.start({ sandboxArgs: ['--products', '24'], env: { LEASE_SECONDS: '5', ORDER_POLL_SECONDS: '3600' } });
await s.client();

await test('the callback refuses a missing, foreign, used or invented state', async () => {
  const bad = async (query, headers) => {
    const before = s.calls('get_access_token').length;
    const r = await request('GET', `${s.url}/tiktok/callback?${query}`, { headers });
    same(r.status, 400, `callback?${query}`);
    same(s.calls('get_access_token').length, before, 'token calls');
    ok(!/Bearer|sandbox-app-secret/.test(r.text), 'no secret on the page');
  };
  await bad('code=abc');
  await bad('code=abc&state=invented');
  const start = await s.api('GET', `/tiktok/authorize?client_hash=${CLIENT}`);
  const cookie = [start.headers['set-cookie']].flat()[0].split(';')[0];
  const accept = await request('GET', `${start.headers.location}&auto=accept`);
  const query = new URL(accept.headers.location).search.slice(1);
  await bad(query);
  await bad(query, { cookie: cookie.replace(/=.*/, '=anotherbrowser') });
  same((await request('GET', `${s.url}/tiktok/callback?${query}`, { headers: { cookie } })).status, 303, 'the right browser');
  await bad(query, { cookie });
  await until('connected', async () => (await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0]?.status === 'connected');
});

await test('a refusal on the authorize page is told and nothing is stored', async () => {
  const start = await s.api('GET', `/tiktok/authorize?client_hash=${CLIENT}`);
  const cookie = [start.headers['set-cookie']].flat()[0].split(';')[0];
  const state = new URL(start.headers.location).searchParams.get('state');
  const before = s.calls('get_access_token').length;
  const r = await request('GET', `${s.url}/tiktok/callback?code=null&error=auth_denied&state=${encodeURIComponent(state)}`, { headers: { cookie } });
  ok([200, 303, 400].includes(r.status), `status ${r.status}`);
  same(s.calls('get_access_token').length, before, 'token calls');
});

await test('a signed link connects without an account', async () => {
  const link = await s.must('POST', `/v1/clients/${CLIENT}/authorization-link`, {});
  const start = await request('GET', link.url);
  same(start.status, 302, 'link');
  const broken = await request('GET', link.url.slice(0, -3) + 'xyz');
  ok([400, 401, 403].includes(broken.status), `changed link: ${broken.status}`);
  same((await request('GET', `${s.url}/tiktok/authorize?client_hash=${CLIENT}`)).status, 401, 'no link, no token');
});

await test('tokens that expire in the middle of a batch are refreshed once', async () => {
  const run = s.run('products', {});
  await until('the batch is under way', () => s.calls('create_product').length >= 5);
  await s.adminMust('POST', '/tokens/expire', {});
  const done = await run;
  ok(['succeeded', 'partial'].includes(done.status), `run ${JSON.stringify(done)}`);
  same(done.progress.done, done.progress.total, 'done');
  same(s.calls('refresh_access_token').length, 1, 'refreshes');
  const both = s.sql('SELECT count(*) FROM tiktok_tokens t JOIN tiktok_auth_tokens a USING (client_id, open_id) WHERE a.refresh_token IS NOT NULL AND t.version > 1');
  same(both, '1', 'both tokens kept');
});

await test('an authorization that is about to end shows on the shop', async () => {
  same((await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0].notices, [], 'notices before');
  await s.adminMust('POST', '/expiring', {});
  const shop = await until('the shop says so', async () => { const x = (await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0]; return x.notices.length && x; });
  same(shop.notices[0].code, 'authorization_ends', 'notice');
  ok(Date.parse(shop.authorization_ends_at) > Date.now(), `ends at ${shop.authorization_ends_at}`);
});

await test('deauthorization wipes the tokens and parks work; a new connection goes on', async () => {
  await s.adminMust('POST', '/deauthorize', {});
  await until('disconnected', async () => ['disconnected', 'needs_reauthorization'].includes((await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0].status));
  same(s.sql('SELECT count(*) FROM tiktok_tokens'), '0', 'access tokens');
  same(s.sql('SELECT count(*) FROM tiktok_auth_tokens WHERE refresh_token IS NOT NULL'), '0', 'refresh tokens');
  same(s.sql('SELECT count(*) FROM shops WHERE cipher IS NOT NULL'), '0', 'ciphers');
  await s.connect();
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  await s.orderState(id, 'authorized');
});

await test('a refused refresh asks for a new authorization; a withdrawal then still wipes at once', async () => {
  await s.adminMust('POST', '/tokens/expire', { refresh: true });
  await s.adminMust('POST', '/orders', {});
  await until('needs a new authorization', async () => (await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0].status === 'needs_reauthorization');
  await s.adminMust('POST', '/deauthorize', {});
  await until('wiped', () => s.sql('SELECT count(*) FROM tiktok_auth_tokens WHERE refresh_token IS NOT NULL') === '0');
  same((await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items[0].status, 'disconnected', 'status');
  await s.connect();
});

await test('disconnecting by REST wipes tokens', async () => {
  const shop = (await s.must('GET', `/v1/clients/${CLIENT}/shops`)).items.find((x) => x.status === 'connected');
  const r = await s.api('DELETE', `/v1/clients/${CLIENT}/shops/${shop.shop_id}`);
  ok([200, 204].includes(r.status), `status ${r.status}`);
  same(s.sql('SELECT count(*) FROM tiktok_tokens'), '0', 'access tokens');
});

await test('no secret reached the log', () => {
  const log = s.connector.text();
  for (const secret of ['sandbox-app-secret-for-tests', 'sandbox-app-token', 'auth_code=', 'refresh_token=', 'admin-token-0123456789'])
    ok(!log.includes(secret), `the log holds ${secret}`);
});
await test('every exchange kept to both contracts', () => s.noViolations());
await end();
