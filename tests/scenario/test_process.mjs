// test_process.mjs - the program as an operator sees it: subcommands, settings, exit codes, ports, signals.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { BIN, SANITIZER, WORK, Process, end, freePort, newDatabase, ok, request, same, sql, test, until } from './lib.mjs';

const url = newDatabase();
const [port, ops] = [await freePort(), await freePort()];
const WEB = `http://127.0.0.1:${port}`;
const OPS = `http://127.0.0.1:${ops}`;
const SECRETS = { TIKTOK_APP_SECRET: 'first-app-secret,second-app-secret', ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=',
  API_TOKENS: 'reader:read:reader-token-0123456789,boss:admin:boss-token-0123456789' };
const ENV = { DATABASE_URL: url, TIKTOK_APP_KEY: 'app-key', TIKTOK_SERVICE_ID: '1', PUBLIC_URL: WEB, LISTEN_ADDRESS: `127.0.0.1:${port}`,
  OPS_ADDRESS: `127.0.0.1:${ops}`, ALLOW_PRIVATE_ADDRESSES: 'true', TIKTOK_API_URL: 'http://127.0.0.1:1', TIKTOK_AUTH_URL: 'http://127.0.0.1:1',
  TIKTOK_AUTHORIZE_URL: 'http://127.0.0.1:1/a', VTEX_API_URL: 'http://127.0.0.1:1/{account}', VTEX_PRICING_URL: 'http://127.0.0.1:1/{account}', ...SECRETS };

const run = (args, env) => spawnSync(BIN, args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8', timeout: 60000 });
const webhook = (body, secret = 'first-app-secret') => request('POST', `${WEB}/tiktok/webhook`, { body,
  headers: { authorization: createHmac('sha256', secret).update(`app-key${body}`).digest('hex') } });

await test('subcommands and exit codes', async () => {
  const help = run(['--help'], {});
  same(help.status, 0, '--help');
  for (const word of ['serve', 'migrate', 'config check', 'sandbox', 'version', 'DATABASE_URL', 'NAME_FILE']) ok(help.stdout.includes(word), `--help names ${word}`);
  ok(/^tiktok-shop-connector \d+\.\d+\.\d+\n$/.test(run(['version'], {}).stdout), 'version');
  same(run(['bogus'], ENV).status, 2, 'unknown subcommand');
  same(run(['serve', 'more'], ENV).status, 2, 'unknown argument');
  same(run(['config'], ENV).status, 2, 'half a subcommand');
  same(run(['config', 'check'], ENV).status, 0, 'config check');
});

await test('a wrong setting stops the start with one line that names it', async () => {
  const nul = join(WORK, 'key-with-nul');
  writeFileSync(nul, 'app\0key\n');
  const rows = [[{ TIKTOK_APP_KEY: '' }, 'TIKTOK_APP_KEY'], [{ DATABASE_URL: '' }, 'DATABASE_URL'], [{ WORKER_THREADS: 'many' }, 'WORKER_THREADS'],
    [{ ENCRYPTION_KEYS: 'k1:short' }, 'ENCRYPTION_KEYS'], [{ API_TOKENS: 'x:owner:token' }, 'API_TOKENS'], [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ ENCRYPTION_KEYS: '' }, 'ENCRYPTION_KEYS'], [{ TIKTOK_APP_SECRET: '' }, 'TIKTOK_APP_SECRET'],
    [{ TIKTOK_API_URL: 'http://open-api.example.com' }, 'TIKTOK_API_URL'], [{ TIKTOK_AUTH_URL: 'http://127.example.com' }, 'TIKTOK_AUTH_URL'],
    [{ VTEX_API_URL: 'http://127.0.0.1:1@example.com/{account}' }, 'VTEX_API_URL'], [{ PUBLIC_URL: 'http://shop.example.com' }, 'PUBLIC_URL'],
    [{ DATABASE_URL: 'postgresql://u:MDEyMzQ1pw@[::1/db' }, 'DATABASE_URL'], [{ DATABASE_URL: 'postgresql://u:MDEyMzQ1%zz@127.0.0.1/db' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgresql://u:first@MDEyMzQ1@127.0.0.1/db' }, 'DATABASE_URL'], [{ DATABASE_URL: 'postgresql://u:MDEyMzQ1/x@127.0.0.1/db' }, 'DATABASE_URL'],
    [{ ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` }, 'ENCRYPTION_KEYS'], [{ API_TOKENS: 'a:admin:short' }, 'API_TOKENS'],
    [{ API_TOKENS: 'a:admin:one-token-0123456789,b:read:one-token-0123456789' }, 'API_TOKENS'], [{ ADMIN_USERS: 'nonsense' }, 'ADMIN_USERS'],
    [{ LAMBDA_ACCESS_KEY_ID: 'AKIAEXAMPLE' }, 'LAMBDA_SECRET_ACCESS_KEY'], [{ OPS_ADDRESS: ENV.LISTEN_ADDRESS }, 'OPS_ADDRESS'],
    [{ TIKTOK_APP_KEY: undefined, TIKTOK_APP_KEY_FILE: '/dev/null' }, 'TIKTOK_APP_KEY_FILE'],
    [{ TIKTOK_API_URL: 'https://open-api.example.com' }, 'ALLOW_PRIVATE_ADDRESSES'], [{ LISTEN_ADDRESS: 'nowhere' }, 'LISTEN_ADDRESS'], [{ LISTEN_ADDRESS: 'nowhere.invalid:8080' }, 'LISTEN_ADDRESS'], [{ OPS_ADDRESS: '256.1.1.1:9090' }, 'OPS_ADDRESS'],
    [{ TIKTOK_APP_KEY: undefined, TIKTOK_APP_KEY_FILE: nul }, 'TIKTOK_APP_KEY_FILE']];
  for (const [wrong, name] of rows) {
    for (const args of [['serve'], ['config', 'check']]) {
      const got = run(args, { ...ENV, LOG_LEVEL: 'error', ...wrong });
      same(got.status, 3, `${args.join(' ')} with ${name} wrong: ${got.stderr}`);
      const lines = got.stderr.trim().split('\n').filter((l) => !l.startsWith('{'));
      ok(lines.length === 1 && lines[0].includes(name), `${name}: ${got.stderr}`);
      for (const secret of ['first-app-secret', 'reader-token', 'MDEyMzQ1']) ok(!(got.stdout + got.stderr).includes(secret), `${name}: shows a secret`);
    }
  }
});

let service;
// What /proc says of the service; '' where nobody but root may look, because the process has forbidden to be dumped.
function ofProcess(name) {
  try { return readFileSync(`/proc/${service.child.pid}/${name}`, 'latin1'); } catch (e) { if (e.code === 'EACCES') return ''; throw e; }
}

await test('starts, says so in one line, answers on two ports', async () => {
  writeFileSync(join(WORK, 'app-key'), 'app-key\n');
  const { TIKTOK_APP_KEY, ...env } = ENV;
  service = new Process('service', ['serve'], { ...env, TIKTOK_APP_KEY_FILE: join(WORK, 'app-key') });
  await until('ready', () => service.text().includes('ready: '));
  same(service.text().split('\n').filter((l) => l.startsWith('ready: ')), [`ready: ${WEB} (operations ${OPS})`]);
  for (const path of ['/livez', '/readyz', '/metrics']) {
    same((await request('GET', OPS + path)).status, 200, path);
    same((await request('GET', WEB + path)).status, 404, `${path} on the public port`);
  }
  for (const path of ['/v1/clients', '/tiktok/webhook', '/']) same((await request('GET', OPS + path)).status, 404, `${path} on the operations port`);
  ok((await request('GET', `${OPS}/metrics`)).text.includes('connector_http_requests_total{'), 'metrics');
});

await test('tokens and scopes', async () => {
  same((await request('GET', `${WEB}/v1/clients`)).status, 401, 'no token');
  same((await request('GET', `${WEB}/v1/clients`, { headers: { authorization: 'Bearer wrong' } })).status, 401, 'wrong token');
  same((await request('GET', `${WEB}/v1/clients`, { headers: { authorization: 'Bearer reader-token-0123456789' } })).status, 200, 'read');
  const put = { body: '{}', headers: { authorization: 'Bearer reader-token-0123456789' } };
  same((await request('PUT', `${WEB}/v1/clients/loja-exemplo`, put)).status, 403, 'read may not write');
  const answer = await request('GET', `${WEB}/v1/nothing`);
  same([answer.status, answer.headers['content-type'], answer.json.code], [404, 'application/problem+json', 'not_found']);
  same(answer.json.request_id, answer.headers['x-request-id'], 'request id');
});

await test('secrets are wiped from the environment and never logged', async () => {
  const environ = ofProcess('environ');
  await webhook('{"type":1,"shop_id":"1","data":{"order_id":"1"}}');
  await request('GET', `${WEB}/vtex/loja-exemplo/hook-secret-in-path/notifications?token=in-the-query`);
  for (const secret of ['first-app-secret', 'second-app-secret', 'reader-token', 'boss-token', 'MDEyMzQ1', 'hook-secret-in-path', 'in-the-query']) {
    ok(!environ.includes(secret), `environment holds ${secret}`);
    ok(!service.text().includes(secret), `log holds ${secret}`);
  }
});

await test('leaves no core dump', async () => {
  ok(/^Max core file size +0 +0 /m.test(ofProcess('limits')), ofProcess('limits'));
  if (process.getuid() !== 0) same(ofProcess('environ'), '', 'what its own user may read of its memory');
});

await test('webhooks signed with either secret', async () => {
  const body = JSON.stringify({ type: 1, shop_id: '77', tts_notification_id: 'n1', data: { order_id: '1' } });
  for (const secret of ['first-app-secret', 'second-app-secret']) {
    const answer = await webhook(body, secret);
    same([answer.status, answer.text], [200, ''], secret);
  }
  const wrong = await webhook(body, 'third');
  same([wrong.status, wrong.text], [401, ''], 'wrong secret');
  same(sql(url, "SELECT count(*) FROM events WHERE shop_id = '77'"), '1', 'events');
});

await test('a log line for each request, with its id', async () => {
  const answer = await request('GET', `${WEB}/v1/clients?limit=1`, { headers: { authorization: 'Bearer reader-token-0123456789' } });
  const id = answer.headers['x-request-id'];
  const line = await until('log line', () => service.text().split('\n').find((l) => l.includes(id)));
  const parsed = JSON.parse(line);
  same([parsed.level, parsed.path, parsed.status], ['info', '/v1/clients', answer.status]);
  ok(Number.isInteger(parsed.ms), line);
});

await test('an idle service is small', async () => {
  const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
  ok(SANITIZER || rss < 32 * 1024, `RSS ${rss} KB`);
});

await test('SIGTERM: what is under way is answered, what still arrives is told to come again, exit code 0', async () => {
  const waiting = request('GET', `${WEB}/v1/runs/none?wait`, { headers: { authorization: 'Bearer reader-token-0123456789' } }).catch(() => null);
  await waiting;
  const open = () => new Promise((done, fail) => { const c = net.connect(port, '127.0.0.1', () => done(c)); c.on('error', fail); c.text = ''; c.on('data', (d) => { c.text += d; }); });
  const half = await open();
  const kept = await open();
  const body = '{"name": "Loja"}';
  const head = `PATCH /v1/clients/loja-exemplo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer boss-token-0123456789\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const plain = 'GET /v1/clients HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader-token-0123456789\r\n\r\n';
  half.write(head + body.slice(0, 5));
  kept.write(plain);
  await until('the kept connection works', () => kept.text.includes(' 200 '));
  service.child.kill('SIGTERM');
  await until('the drain has begun', async () => { const r = await request('GET', `${OPS}/readyz`).catch(() => null); return r === null || r.status === 503; });
  kept.text = '';
  kept.write(plain);
  half.write(body.slice(5));
  await until('both have an answer or an end', () => (/^HTTP\/1.1 (200|404|503) /.test(half.text) || half.destroyed || half.readyState !== 'open') && (/^HTTP\/1.1 (200|503) /.test(kept.text) || kept.destroyed || kept.readyState !== 'open'));
  await service.exited;
  service.noReports();
  same([service.code, service.signal], [0, null], `exit (${service.text().slice(-400)})`);
  for (const c of [half, kept]) c.destroy();
});

await test('SIGINT stops too; a migrated database is ready within a second or so', async () => {
  const begin = Date.now();
  service = new Process('again', [], ENV);
  await until('ready', () => service.text().includes('ready: '));
  ok(SANITIZER || Date.now() - begin < 5000, `ready after ${Date.now() - begin} ms`);
  service.child.kill('SIGINT');
  await service.exited;
  same(service.code, 0, 'exit code');
});

await test('waits a while for a database that comes up later, and takes SIGTERM meanwhile', async () => {
  service = new Process('early', ['serve'], { ...ENV, DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
  await until('waiting', () => service.text().includes('the database is away'));
  await service.stop();
});

await test('waits while another process migrates, and takes SIGTERM meanwhile', async () => {
  const other = spawn('psql', [url, '-qAtX'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const over = new Promise((r) => other.on('exit', r));
  let told = '';
  other.stdout.on('data', (d) => { told += d; });
  other.stdin.write("SELECT pg_advisory_lock(7231904481);\nSELECT 'locked';\n");
  try {
    await until('locked', () => told.includes('locked'));
    service = new Process('second', ['serve'], ENV);
    await until('waiting', () => service.text().includes('another process migrates'));
    await service.stop();
    service = new Process('third', ['serve'], ENV);
    await until('waiting again', () => service.text().includes('another process migrates'));
  } finally {
    other.stdin.end();
    await over;
  }
  await until('ready', () => service.text().includes('ready: '));
  await service.stop();
});

await test('a schema newer than the program is refused', async () => {
  const table = sql(url, "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE '%migration%' LIMIT 1");
  ok(table !== '', 'a table of migrations');
  const columns = sql(url, `SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = '${table}' AND table_schema = 'public'`);
  const values = columns.split(',').map((c) => (c === 'name' ? "'db/migrations/9999_future.sql'" : c));
  sql(url, `INSERT INTO ${table} (${columns}) SELECT ${values.map((v) => (v === 'version' || v === 'number' ? '9999' : v)).join(',')} FROM ${table} LIMIT 1`);
  const got = run(['serve'], ENV);
  same(got.status, 3, `exit code: ${got.stderr.slice(-300)}`);
  same(run(['migrate'], ENV).status, 3, 'migrate');
});

await test('a database that may lose what it confirmed is refused', async () => {
  const folder = join(WORK, 'careless');
  chmodSync(WORK, 0o755); // PostgreSQL runs as another user
  const careless = execFileSync('scripts/pg.sh', ['start', folder], { encoding: 'utf8', env: { ...process.env, PG_OPTIONS: '-c fsync=off' } }).trim();
  try {
    const got = run(['serve'], { ...ENV, DATABASE_URL: careless });
    same(got.status, 3, `exit code: ${got.stderr.slice(-300)}`);
    ok(got.stderr.includes('fsync off'), got.stderr.slice(-300));
  } finally {
    execFileSync('scripts/pg.sh', ['stop', folder]);
  }
});

await end();
