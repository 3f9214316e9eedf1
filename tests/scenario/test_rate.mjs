// test_rate.mjs - a token that asks too often gets 429 with Retry-After; the others, webhooks and pages do not.
import { Stack, TOKENS, end, ok, request, same, test } from './lib.mjs';

const s = await Stack.start({ env: { API_RATE_PER_SECOND: '1' } });
const list = (token) => s.api('GET', '/v1/clients', undefined, { token });

await test('two at once are answered, then the token waits for its turn', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => list(TOKENS.read)));
  const refused = all.filter((r) => r.status === 429);
  ok(all.some((r) => r.status === 200) && refused.length > 0, all.map((r) => r.status).join());
  for (const r of refused) {
    same([r.json.code, r.json.retryable, r.headers['content-type']], ['too_many_requests', true, 'application/problem+json'], 'problem');
    ok(Number(r.headers['retry-after']) >= 1 && Number(r.headers['retry-after']) <= 2, `Retry-After ${r.headers['retry-after']}`);
  }
});

await test('what one token used up is not missing elsewhere', async () => {
  same((await list(TOKENS.sync)).status, 200, 'another token');
  same((await request('POST', `${s.url}/tiktok/webhook`, { body: '{}' })).status, 401, 'webhooks have no share');
  same((await list('no-token-of-ours')).status, 401, 'nor has who is nobody');
});
await end();
