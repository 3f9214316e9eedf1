// run.mjs - the first publication of a catalog on the sandbox: how much of the shop's quota is used while work waits, and
// how long an order of another shop takes meanwhile. The limit is TikTok's 50 calls a second of one operation and shop.
import { mkdtempSync } from 'node:fs';
import { BENCH_WORK, connectorSettings, cpu, database, freePort, setting, sql, start, stopAll, verdict } from '../bench.mjs';

const { BIN } = process.env;
const PRODUCTS = setting('BENCH_PRODUCTS', 2000);
const QUOTA = 50;
const TOKEN = 'bench-token-0123456789';
const url = database('bench_publish');
const [port, ops, platform] = [await freePort(), await freePort(), await freePort()];
const WEB = `http://127.0.0.1:${port}`;
const BOX = `http://127.0.0.1:${platform}`;

const box = await start(BIN, ['sandbox', '--address', `127.0.0.1:${platform}`, '--app-key', 'bench-key', '--app-secret', 'bench-secret', '--service-id', 'bench', '--redirect-url', `${WEB}/tiktok/callback`,
  '--webhook-url', WEB, '--shops', '2', '--accounts', 'muitos,poucos', '--products', String(PRODUCTS), '--audit-ms', '200', '--workflow-ms', '0'], { HOME: mkdtempSync(`${BENCH_WORK}/box-`) }, 'listens');
const service = await start(BIN, ['serve'], { ...connectorSettings(url, port, ops), TIKTOK_API_URL: BOX, TIKTOK_AUTH_URL: BOX, TIKTOK_AUTHORIZE_URL: `${BOX}/open/authorize`, TIKTOK_SERVICE_ID: 'bench',
  VTEX_API_URL: `${BOX}/vtex/{account}`, VTEX_PRICING_URL: `${BOX}/vtexpricing/{account}`, API_TOKENS: `bench:admin:${TOKEN}` }, 'ready: ');

async function api(method, path, body) {
  const r = await fetch(WEB + path, { method, redirect: 'manual', body: body && JSON.stringify(body), headers: { authorization: `Bearer ${TOKEN}`, ...(body ? { 'content-type': 'application/json' } : {}) } });
  if (r.status >= 400) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`);
  return r;
}
async function until(what, ms, fn) {
  for (const end = Date.now() + ms; ;) {
    const x = await fn();
    if (x) return x;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((done) => { setTimeout(done, 20); });
  }
}
async function connect(hash, account, shop, source) {
  await api('PUT', `/v1/clients/${hash}`, { name: hash, tik_tok_shop_feed_link: `${BOX}/feeds/loja-exemplo.xml`,
    vtex: { account, app_key: `vtexappkey-${account}-SANDBX`, app_token: 'sandbox-app-token', sales_channel: '3', affiliate_id: 'TTK', warehouse_ids: ['1_1'] },
    policies: { price: { source }, stock: { source }, feed: { read_every_minutes: 0 } } });
  const begin = await api('GET', `/tiktok/authorize?client_hash=${hash}`);
  const cookie = begin.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const page = await fetch(`${begin.headers.get('location')}&auto=accept&shop=${shop}`, { redirect: 'manual' });
  await fetch(page.headers.get('location'), { redirect: 'manual', headers: { cookie } });
  return until(`${hash} is connected`, 20000, async () => (await (await api('GET', `/v1/clients/${hash}/shops`)).json()).items.find((s) => s.status === 'connected')?.shop_id);
}

process.on('exit', () => { for (const child of [box, service]) child.kill('SIGKILL'); });
const big = await connect('bench-muitos', 'muitos', 1, 'feed');
const small = await connect('bench-poucos', 'poucos', 2, 'feed');
// What the small merchant sells, at its price, so that VTEX has nothing to object to; its products need not be published.
const offer = /<g:id>(\d+)<\/g:id>[\s\S]*?<g:price>([\d.]+) BRL/.exec(await (await fetch(`${BOX}/feeds/poucos.xml`)).text());
const items = [{ seller_sku: offer[1], price: offer[2] }];
for (const account of ['muitos', 'poucos'])
  await fetch(`${BOX}/sandbox/skus/${offer[1]}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ account, stock: 100000 }) });
const order = async () => {
  let last;
  const begin = performance.now();
  const made = await (await fetch(`${BOX}/sandbox/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ shop: small, items }) })).json();
  await until(`order ${made.order_id}`, 20000, async () => {
    const r = await fetch(`${WEB}/v1/clients/bench-poucos/orders/${made.order_id}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    last = r.status === 200 ? await r.json() : r.status;
    return last.state === 'authorized';
  }).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(last)}`); });
  return performance.now() - begin;
};
await order();
const before = cpu(service.pid);
const run = (await (await api('POST', '/v1/clients/bench-muitos/sync/products')).json()).run_id;
await until('the first creates', 60000, () => Number(sql(url, `SET connector.tenant = '*'; SELECT count(*) FROM outbound_calls WHERE shop_id = '${big}' AND operation = 'create_product'`)) > 0);
const waits = [];
let state;
do {
  waits.push(await order());
  state = await (await api('GET', `/v1/runs/${run}`)).json();
} while (['queued', 'running'].includes(state.status));
const after = cpu(service.pid);
// The steady part, without the first and the last two seconds, of the operation that there is most of: its quota is the limit.
const [operation, count, seconds] = sql(url, `SET connector.tenant = '*'; WITH c AS (SELECT operation, started_at FROM outbound_calls WHERE peer = 'tiktok' AND shop_id = '${big}'),
  top AS (SELECT operation, min(started_at) + interval '2 seconds' AS low, max(started_at) - interval '2 seconds' AS high FROM c GROUP BY operation ORDER BY count(*) DESC LIMIT 1)
  SELECT operation, count(*), extract(epoch FROM max(high) - max(low)) FROM c JOIN top USING (operation) WHERE started_at BETWEEN low AND high GROUP BY operation`).split('|');
const steady = [count / seconds, Number(seconds)];
const refused = Number(sql(url, "SET connector.tenant = '*'; SELECT count(*) FROM outbound_calls WHERE http_status = 429"));
const doubled = Number(sql(url, `SET connector.tenant = '*'; SELECT count(*) - count(DISTINCT tiktok_product_id) FROM products WHERE tiktok_product_id IS NOT NULL`));
waits.sort((a, b) => a - b);
const p95 = waits[Math.floor(waits.length * 0.95)];
console.log(`first publication of ${PRODUCTS} products: ${state.status}, ${JSON.stringify(state.progress)}`);
console.log(`  ${steady[0].toFixed(1)} calls/s of ${operation} over ${steady[1].toFixed(0)} s (limit ${QUOTA}), ${refused} answers 429, ${doubled} doubled; CPU ${((after.service - before.service) / steady[1]).toFixed(2)} service, ${((after.database - before.database) / steady[1]).toFixed(2)} database`);
console.log(`  ${waits.length} orders of another shop meanwhile: median ${waits[Math.floor(waits.length / 2)].toFixed(0)} ms, p95 ${p95.toFixed(0)} ms from webhook to authorized in VTEX`);
verdict(`first publication: part of the quota that is used (${PRODUCTS} products)`, `${(steady[0] / QUOTA * 100).toFixed(1)} %`, '>= 95 %', steady[0] / QUOTA >= 0.95);
verdict('first publication: answers 429, products doubled', `${refused}, ${doubled}`, '0, 0', refused === 0 && doubled === 0);
verdict('order of another shop meanwhile, webhook to authorized, p95', `${(p95 / 1000).toFixed(2)} s`, '<= 2 s', p95 <= 2000);
await stopAll();
process.exit(0);
