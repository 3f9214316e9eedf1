// run.mjs - the connector's intake beside Fastify + pg, in turns on one private PostgreSQL, and pgbench as a limit.
// Prints medians, their ratios and the floors; ends with 1 when a floor does not hold.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const [BIN, LOAD] = [process.env.BIN, process.env.LOAD];
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const [KEY, SECRET] = ['bench-key', 'bench-secret'];
const dir = mkdtempSync(join(tmpdir(), 'bench-intake-'));
chmodSync(dir, 0o755);

const freePort = () => new Promise((done) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
});
const sql = (url, text) => execFileSync('psql', [url, '-qAtXc', text], { encoding: 'utf8' }).trim();
const pg = join(dir, 'pg');
const base = execFileSync('scripts/pg.sh', ['start', pg], { encoding: 'utf8' }).trim();
const database = (name) => { sql(base, `CREATE DATABASE ${name}`); return base.replace(/\/postgres$/, `/${name}`); };
const children = [];

async function start(command, args, env, sign) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((done, fail) => {
    child.stdout.on('data', (d) => { if (String(d).includes(sign)) done(); });
    child.on('exit', (code) => fail(new Error(`${command} ended with ${code}`)));
  });
  return child;
}

// Seconds of CPU so far: the service, and the whole database.
const TICK = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const statOf = (pid) => { try { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return { ppid: f[1], own: Number(f[11]) + Number(f[12]), gone: Number(f[13]) + Number(f[14]) }; } catch { return null; } };
function cpu(child) {
  const postmaster = readFileSync(join(pg, 'data/postmaster.pid'), 'utf8').split('\n')[0];
  const all = readdirSync('/proc').filter((n) => /^\d+$/.test(n)).map((n) => ({ n, s: statOf(n) })).filter((p) => p.s);
  const db = all.filter((p) => p.n === postmaster || p.s.ppid === postmaster);
  return (statOf(child.pid).own + db.reduce((sum, p) => sum + p.s.own + (p.n === postmaster ? p.s.gone : 0), 0)) / TICK;
}

let runs = Math.floor(Date.now() / 1000) % 1000000;
async function load(target, connections, rate) {
  const before = cpu(target.child);
  const out = await new Promise((done, fail) => {
    const child = spawn(LOAD, [target.port, connections, SECONDS, rate, KEY, SECRET, String(runs++) + '0'].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (d) => { text += d; });
    child.on('exit', (code) => (code === 0 ? done(text) : fail(new Error(`load ended with ${code}: ${text}`))));
  });
  const result = JSON.parse(out);
  return { ...result, cpu_us: (cpu(target.child) - before) * 1e6 / result.ok };
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const medians = (list) => Object.fromEntries(['rps', 'p50', 'p99', 'cpu_us'].map((k) => [k, median(list.map((r) => r[k]))]));

async function connector() {
  const [port, ops] = [await freePort(), await freePort()];
  const url = database('connector_bench');
  const child = await start(BIN, ['serve'], {
    DATABASE_URL: url, TIKTOK_APP_KEY: KEY, TIKTOK_APP_SECRET: SECRET, TIKTOK_SERVICE_ID: '1',
    ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', PUBLIC_URL: `http://127.0.0.1:${port}`,
    LISTEN_ADDRESS: `127.0.0.1:${port}`, OPS_ADDRESS: `127.0.0.1:${ops}`, ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'warn',
    TIKTOK_API_URL: 'http://127.0.0.1:1', TIKTOK_AUTH_URL: 'http://127.0.0.1:1', TIKTOK_AUTHORIZE_URL: 'http://127.0.0.1:1/a',
    VTEX_API_URL: 'http://127.0.0.1:1/{account}', VTEX_PRICING_URL: 'http://127.0.0.1:1/{account}' }, 'ready: ');
  // Ten known shops whose lease another holder has, so that jobs are written but nobody runs them.
  sql(url, `INSERT INTO clients (client_id, name) VALUES ('loja-exemplo', 'Loja');
    INSERT INTO shops (shop_id, client_id, open_id) SELECT '749404964264244162' || n, 'loja-exemplo', 'o' FROM generate_series(0, 9) n;
    INSERT INTO shop_schedule (shop_id, client_id, lease_holder, lease_token, lease_until)
      SELECT shop_id, client_id, 'bench', 1, now() + interval '1 day' FROM shops
      ON CONFLICT (shop_id) DO UPDATE SET lease_holder = 'bench', lease_until = now() + interval '1 day'`);
  return { child, port, url, rows: () => Number(sql(url, 'SELECT count(*) FROM events')), ops };
}
async function peer() {
  const port = await freePort();
  const url = database('peer_bench');
  const child = await start('node', [join(HERE, 'peer.mjs')], { DATABASE_URL: url, PORT: String(port), APP_KEY: KEY, APP_SECRET: SECRET }, 'ready');
  return { child, port, url, rows: () => Number(sql(url, 'SELECT count(*) FROM inbox')) };
}

// The database alone: the peer's insert by as many sessions as it has, prepared, without HTTP.
function pgbench(url) {
  const file = join(dir, 'insert.sql');
  writeFileSync(file, "INSERT INTO inbox (shop_id, key, topic, body) VALUES ('7494049642642441621', 'k', 1, repeat('x', 224)::bytea);\n");
  const out = execFileSync(join(process.env.PGBIN ?? '/usr/lib/postgresql/15/bin', 'pgbench'),
    ['-n', '-M', 'prepared', '-c', '20', '-j', '2', '-T', String(SECONDS), '-f', file, url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(/tps = ([\d.]+)/.exec(out)[1]);
}

let missed = 0;
function floor(name, ratio, holds, limit) {
  if (!holds) missed++;
  console.log(`${holds ? 'holds ' : 'MISSED'} ${name}: ${ratio.toFixed(2)} (floor ${limit})`);
}

try {
  const [ours, theirs] = [await connector(), await peer()];
  const shapes = [['64 connections', 64, 0], ['256 connections', 256, 0], ['2,000/s', 64, 2000]];
  let accepted = 0;
  const warm = async (t) => (await load(t, 64, 0)).ok;
  accepted += await warm(ours);
  await warm(theirs);
  console.log(`medians of ${ROUNDS} rounds of ${SECONDS} s, in turns; CPU: service and database together`);
  console.log('shape            who          webhooks/s   p50 ms   p99 ms   CPU us/webhook');
  const results = {};
  for (const [name, connections, rate] of shapes) {
    const [a, b] = [[], []];
    for (let i = 0; i < ROUNDS; i++) {
      a.push(await load(ours, connections, rate));
      b.push(await load(theirs, connections, rate));
    }
    accepted += a.reduce((s, r) => s + r.ok, 0);
    results[name] = [medians(a), medians(b)];
    for (const [who, m] of [['connector', results[name][0]], ['fastify+pg', results[name][1]]])
      console.log(`${name.padEnd(16)} ${who.padEnd(12)} ${m.rps.toFixed(0).padStart(10)} ${(m.p50 / 1000).toFixed(2).padStart(8)} ${(m.p99 / 1000).toFixed(2).padStart(8)} ${m.cpu_us.toFixed(0).padStart(16)}`);
  }
  console.log(`pgbench, the peer's insert on 20 sessions: ${pgbench(theirs.url).toFixed(0)}/s`);
  for (const name of ['64 connections', '256 connections']) {
    const [a, b] = results[name];
    floor(`throughput, ${name}`, a.rps / b.rps, a.rps >= 4 * b.rps, '>= 4x, target 6x');
    floor(`CPU per webhook, ${name}`, a.cpu_us / b.cpu_us, a.cpu_us <= 0.25 * b.cpu_us, '<= 0.25x, target 0.15x');
    console.log(`       p99, ${name}: ${(a.p99 / b.p99).toFixed(2)} (target <= 0.2x)`);
  }
  const [a, b] = results['2,000/s'];
  floor('p99 at 2,000/s', a.p99 / b.p99, a.p99 <= 0.5 * b.p99, '<= 0.5x, target 0.25x');
  if (ours.rows() !== accepted) { missed++; console.log(`MISSED rows: ${ours.rows()} for ${accepted} answers 200`); }
} finally {
  for (const c of children) { c.removeAllListeners('exit'); c.kill('SIGTERM'); }
  execFileSync('scripts/pg.sh', ['stop', pg]);
  execFileSync('rm', ['-rf', dir]);
}
process.exit(missed ? 1 : 0);
