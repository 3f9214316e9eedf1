// run.mjs - the connector's intake beside Fastify + pg, in turns on one PostgreSQL, and pgbench as a limit.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_WORK, connectorSettings, cpu, database, freePort, median, paired, ROUNDS_USUAL, setting, sql, start, stopAll, times, verdict } from '../bench.mjs';

const SECONDS = setting('BENCH_SECONDS', 4);
const ROUNDS = setting('BENCH_ROUNDS', ROUNDS_USUAL);
const [KEY, SECRET] = ['bench-key', 'bench-secret'];

let runs = Math.floor(Date.now() / 1000) % 1000000;
async function load(target, connections, rate) {
  const args = [target.port, connections, SECONDS, rate, KEY, SECRET, `${runs++}0`].map(String);
  const before = cpu(target.child.pid);
  const text = await new Promise((done, fail) => {
    const child = spawn(join(BENCH_WORK, 'load'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.on('close', (code) => (code === 0 ? done(out) : fail(new Error(`load ended with ${code}: ${out}`))));
  });
  const after = cpu(target.child.pid);
  const result = JSON.parse(text);
  target.accepted += result.ok;
  result.service_us = (after.service - before.service) * 1e6 / result.ok;
  result.database_us = (after.database - before.database) * 1e6 / result.ok;
  result.cpu_us = result.service_us + result.database_us;
  return result;
}
const FIELDS = ['rps', 'p50', 'p99', 'service_us', 'database_us', 'cpu_us'];
const medians = (list) => Object.fromEntries(FIELDS.map((k) => [k, median(list.map((r) => r[k]))]));

async function connector() {
  const [port, ops] = [await freePort(), await freePort()];
  const url = database('bench_intake');
  const child = await start(process.env.BIN, ['serve'], connectorSettings(url, port, ops), 'ready: ');
  // Ten connected shops whose lease another holder has: jobs are written and announced, and nobody runs them.
  sql(url, `SET connector.tenant = '*'; INSERT INTO clients (client_id, name) VALUES ('loja-exemplo', 'Loja');
    INSERT INTO shops (shop_id, client_id, open_id) SELECT '749404964264244162' || n, 'loja-exemplo', 'o' FROM generate_series(0, 9) n;
    INSERT INTO shop_schedule (shop_id, client_id, lease_holder, lease_token, lease_until)
      SELECT shop_id, client_id, 'bench', 1, now() + interval '1 day' FROM shops
      ON CONFLICT (shop_id) DO UPDATE SET lease_holder = 'bench', lease_until = now() + interval '1 day'`);
  const count = (table) => Number(sql(url, `SET connector.tenant = '*'; SELECT count(*) FROM ${table}`));
  return { name: 'connector', child, port, url, accepted: 0, written: () => ['event_keys', 'events', "jobs WHERE kind = 'order_import'"].map(count), ops };
}
async function peer() {
  const port = await freePort();
  const url = database('bench_peer');
  const program = join(BENCH_WORK, 'intake/peer.mjs');
  const child = await start(process.execPath, [program], { DATABASE_URL: url, PORT: String(port), APP_KEY: KEY, APP_SECRET: SECRET }, 'ready');
  return { name: 'fastify + pg', child, port, url, accepted: 0, written: () => [Number(sql(url, 'SELECT count(*) FROM inbox'))] };
}

// The database alone: the peer's insert by as many sessions as it has, prepared, without HTTP.
function pgbench(url) {
  const file = join(BENCH_WORK, 'insert.sql');
  writeFileSync(file, `\\set n random(1, 9000000000000000)\nINSERT INTO inbox (notification_id, shop_id, topic, sent_at, body)
    VALUES ((:n)::text, '7494049642642441621', 1, 1, '{"type":1,"data":"${'x'.repeat(190)}"}') ON CONFLICT DO NOTHING;\n`.replaceAll('\n    ', ' '));
  const out = execFileSync(join(process.env.PGBIN ?? '/usr/lib/postgresql/15/bin', 'pgbench'),
    ['-n', '-M', 'prepared', '-c', '20', '-j', '2', '-T', String(SECONDS), '-f', file, url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(/tps = ([\d.]+)/.exec(out)[1]);
}

const column = (text, width) => String(text).padStart(width);
function show(shape, who, m) {
  console.log(`${shape.padEnd(16)} ${who.padEnd(13)}${column(m.rps.toFixed(0), 11)}${column((m.p50 / 1000).toFixed(2), 9)}${column((m.p99 / 1000).toFixed(2), 9)}` +
    `${column(m.service_us.toFixed(1), 12)}${column(m.database_us.toFixed(1), 11)}`);
}

function judge(lists) {
  const of = (name, field) => paired(...lists[name].map((list) => list.map((r) => r[field])));
  for (const name of ['64 connections', '256 connections']) {
    const [rate, cost] = [of(name, 'rps'), of(name, 'cpu_us')];
    verdict(`intake, ${name}: webhooks/s, of Fastify + pg`, times(rate), '>= 4x', rate >= 4);
    verdict(`intake, ${name}: CPU per webhook, of Fastify + pg`, times(cost), '<= 0.25x', cost <= 0.25);
    verdict(`intake, ${name}: p99, of Fastify + pg`, times(of(name, 'p99')), '');
  }
  const late = of('2,000/s', 'p99');
  verdict('intake at 2,000/s: p99, of Fastify + pg', times(late), '<= 0.5x', late <= 0.5);
}

try {
  const both = [await connector(), await peer()];
  for (const target of both) await load(target, 64, 0);
  console.log(`webhook intake, medians of ${ROUNDS} rounds of ${SECONDS} s in turns; CPU in us a webhook`);
  console.log('shape            who           webhooks/s   p50 ms   p99 ms CPU service   database');
  const [results, all] = [{}, {}];
  for (const [name, connections, rate] of [['64 connections', 64, 0], ['256 connections', 256, 0], ['2,000/s', 64, 2000]]) {
    const lists = [[], []];
    for (let i = 0; i < ROUNDS; i++)
      for (const who of [0, 1]) lists[who].push(await load(both[who], connections, rate));
    all[name] = lists;
    results[name] = lists.map(medians);
    for (const who of [0, 1]) show(name, both[who].name, results[name][who]);
  }
  const limit = pgbench(both[1].url);
  console.log(`pgbench, the peer's insert on 20 sessions without HTTP: ${limit.toFixed(0)}/s`);
  judge(all);
  verdict('intake, 256 connections: webhooks/s, of pgbench single inserts', times(results['256 connections'][0].rps / limit), '');
  const written = both[0].written();
  verdict('intake: rows of keys, events, jobs per answer 200', written.map((n) => (n / both[0].accepted).toFixed(3)).join(' '), 'each 1', written.every((n) => n === both[0].accepted));
} finally {
  await stopAll();
}
