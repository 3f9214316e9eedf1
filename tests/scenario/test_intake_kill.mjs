// test_intake_kill.mjs - webhooks keep coming while PostgreSQL is killed with SIGKILL, again and again:
// a 200 was always committed before, what got no 200 can be sent again, and nothing is there twice.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { WORK, Process, end, freePort, ok, same, sql, test, until } from './lib.mjs';

const SECRET = 'scenario-secret';
const KEY = 'scenario-key';
chmodSync(WORK, 0o755); // the server runs as another user
const dir = join(WORK, 'own-pg');
const pgPort = await freePort();
const url = `postgresql://connector@127.0.0.1:${pgPort}/postgres`;
const [port, ops] = [await freePort(), await freePort()];

// Not in the way of the senders, which measure time meanwhile.
function pg(action) {
  return new Promise((done, fail) => {
    const child = spawn('scripts/pg.sh', [action, dir], { env: { ...process.env, PG_OPTIONS: `-p ${pgPort}` }, stdio: 'ignore' });
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`pg.sh ${action}: ${code}`))));
  });
}

// The server and all its backends at once, as if the machine had gone.
function pgKill() {
  const pid = Number(readFileSync(join(dir, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  const all = readdirSync('/proc').filter((n) => /^\d+$/.test(n)).filter((n) => {
    try { return n === String(pid) || readFileSync(`/proc/${n}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(pid); } catch { return false; }
  });
  for (const n of all) try { process.kill(Number(n), 'SIGKILL'); } catch { /* gone already */ }
  rmSync(join(dir, 'data/postmaster.pid'), { force: true }); // where nobody reaps, the dead one would look alive
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 24 });
function send(body) {
  const signature = createHmac('sha256', SECRET).update(KEY + body).digest('hex');
  return new Promise((done) => {
    const begin = Date.now();
    const req = http.request({ host: '127.0.0.1', port, path: '/tiktok/webhook', method: 'POST', agent,
      headers: { authorization: signature, 'content-length': Buffer.byteLength(body) } }, (res) => {
      res.resume();
      res.on('end', () => done({ status: res.statusCode, ms: Date.now() - begin }));
    });
    req.on('error', (e) => done({ status: 0, ms: Date.now() - begin, error: e.code }));
    req.end(body);
  });
}
const bodyOf = (n) => JSON.stringify({ type: 1, tts_notification_id: `kill-${n}`, shop_id: 'shop-1', timestamp: 1700000000, data: { order_id: `${n}`, order_status: 'UNPAID' } });

await pg('start');
const connector = new Process('connector', ['serve'], {
  DATABASE_URL: url, TIKTOK_APP_KEY: KEY, TIKTOK_APP_SECRET: SECRET, TIKTOK_SERVICE_ID: '1',
  ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', PUBLIC_URL: `http://127.0.0.1:${port}`,
  LISTEN_ADDRESS: `127.0.0.1:${port}`, OPS_ADDRESS: `127.0.0.1:${ops}`, ALLOW_PRIVATE_ADDRESSES: 'true',
  TIKTOK_API_URL: 'http://127.0.0.1:1', TIKTOK_AUTH_URL: 'http://127.0.0.1:1', TIKTOK_AUTHORIZE_URL: 'http://127.0.0.1:1/a',
  VTEX_API_URL: 'http://127.0.0.1:1/{account}', VTEX_PRICING_URL: 'http://127.0.0.1:1/{account}', LOG_LEVEL: 'warn' });
await until('ready', () => connector.text().includes('ready: '));
sql(url, `INSERT INTO clients (client_id, name) VALUES ('loja-exemplo', 'Loja');
  INSERT INTO shops (shop_id, client_id, open_id) VALUES ('shop-1', 'loja-exemplo', 'o')`);

const yes = new Set();
const no = new Set();
let slowest = 0;
let next = 0;
let running = true;

async function sender() {
  while (running) {
    const n = next++;
    const answer = await send(bodyOf(n));
    slowest = Math.max(slowest, answer.ms);
    (answer.status === 200 ? yes : no).add(n);
    if (answer.status !== 200 && answer.status !== 503) throw new Error(`answer ${JSON.stringify(answer)}`);
    if (answer.status !== 200) await new Promise((r) => setTimeout(r, 20));
  }
}

const committed = () => new Set(sql(url, "SELECT substr(key, 6) FROM events WHERE source = 'tiktok' AND state = 'stored'").split('\n').map(Number));

await test('killed database: no 200 without a committed row, answers in time', async () => {
  const senders = Array.from({ length: 24 }, sender);
  for (let round = 0; round < 4; round++) {
    const before = yes.size;
    await until('webhooks are accepted', () => yes.size > before + 200);
    pgKill();
    const refused = no.size;
    await until('webhooks are refused', () => no.size > refused + 5);
    await until('the database is back', async () => { await pg('start'); return true; });
  }
  const before = yes.size;
  await until('webhooks are accepted again', () => yes.size > before + 200);
  running = false;
  await Promise.all(senders);
  const rows = committed();
  const lost = [...yes].filter((n) => !rows.has(n));
  same(lost, [], `200 without a row, of ${yes.size} accepted and ${no.size} refused`);
  ok(slowest < 2600, `the slowest answer took ${slowest} ms`);
});

await test('what was refused is accepted when it comes again, and nothing is there twice', async () => {
  const again = [...no, ...[...yes].slice(-200)];
  const answers = await Promise.all(again.map(async (n) => ({ n, ...(await send(bodyOf(n))) })));
  same(answers.filter((a) => a.status !== 200), [], 'not accepted');
  same(Number(sql(url, 'SELECT count(*) FROM events')), next, 'events');
  same(Number(sql(url, 'SELECT count(DISTINCT key) FROM events')), next, 'distinct events');
  same(Number(sql(url, 'SELECT count(*) FROM event_keys')), next, 'keys');
  same(Number(sql(url, "SELECT count(*) FROM jobs WHERE kind = 'order_import'")), next, 'jobs');
});

await test('a standing database: 503 in time, readiness follows, then all is well', async () => {
  const pid = Number(readFileSync(join(dir, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  const backends = sql(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()").split('\n').map(Number);
  for (const p of [pid, ...backends]) process.kill(p, 'SIGSTOP');
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(bodyOf(1000000 + i))));
    for (const a of answers) ok(a.status === 503 && a.ms < 2500, JSON.stringify(a));
    const ready = await new Promise((done, fail) => http.get(`http://127.0.0.1:${ops}/readyz`, (r) => { r.resume(); done(r.statusCode); }).on('error', fail));
    same(ready, 503, 'readyz');
  } finally {
    for (const p of [...backends, pid]) try { process.kill(p, 'SIGCONT'); } catch { /* gone */ }
  }
  await until('accepted again', async () => (await send(bodyOf(2000000))).status === 200);
});

await test('stops in time and with 0', () => connector.stop());
await pg('stop');
await end();
