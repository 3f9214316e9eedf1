// bench.mjs - what the programs that drive measurements share: databases, children, CPU so far, medians, floors.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';

export const { BENCH_DATABASE_URL, BENCH_RESULTS, BENCH_WORK } = process.env;
export const ROUNDS_USUAL = 5;
export const setting = (name, usual) => Number(process.env[name] ?? usual);
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

export const freePort = () => new Promise((done) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
});
export const sql = (url, text) => execFileSync('psql', [url, '-qAtXc', text], { encoding: 'utf8', env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' } }).trim();

// A fresh database whose owner row-level security binds, as in production.
export function database(name) {
  sql(BENCH_DATABASE_URL, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  sql(BENCH_DATABASE_URL, `DROP ROLE IF EXISTS ${name}`);
  sql(BENCH_DATABASE_URL, `CREATE ROLE ${name} LOGIN`);
  sql(BENCH_DATABASE_URL, `CREATE DATABASE ${name} OWNER ${name}`);
  return BENCH_DATABASE_URL.replace(/\/\/[^@]*@/, `//${name}@`).replace(/\/[^/?]*(\?.*)?$/, `/${name}$1`);
}

// Starts a program and waits until it prints `sign`. Kills every child when this program ends.
const children = [];
export async function start(command, args, env, sign) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((done, fail) => {
    child.said = '';
    child.stdout.on('data', (d) => { child.said += d; if (child.said.includes(sign)) done(); });
    child.on('exit', (code) => fail(new Error(`${command} ended with ${code}`)));
  });
  return child;
}
export async function stop(child) {
  child.removeAllListeners('exit');
  if (child.exitCode !== null) return;
  const gone = new Promise((done) => { child.once('exit', done); });
  child.kill('SIGTERM');
  await gone;
}
export const stopAll = () => Promise.all(children.map(stop));

// The settings of a connector that talks to nobody.
export function connectorSettings(url, port, ops) {
  return {
    DATABASE_URL: url, TIKTOK_APP_KEY: 'bench-key', TIKTOK_APP_SECRET: 'bench-secret', TIKTOK_SERVICE_ID: '1',
    ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', PUBLIC_URL: `http://127.0.0.1:${port}`,
    LISTEN_ADDRESS: `127.0.0.1:${port}`, OPS_ADDRESS: `127.0.0.1:${ops}`, ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'warn',
    TIKTOK_API_URL: 'http://127.0.0.1:1', TIKTOK_AUTH_URL: 'http://127.0.0.1:1', TIKTOK_AUTHORIZE_URL: 'http://127.0.0.1:1/a',
    VTEX_API_URL: 'http://127.0.0.1:1/{account}', VTEX_PRICING_URL: 'http://127.0.0.1:1/{account}',
  };
}

// Seconds of CPU so far, of a process and of the whole database.
const TICK = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
function stat(pid) {
  try {
    const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number);
    return { parent: f[1], own: f[11] + f[12], gone: f[13] + f[14] };
  } catch {
    return null;
  }
}
let postmaster;
export function cpu(pid) {
  postmaster ??= Number(readFileSync(`${sql(BENCH_DATABASE_URL, 'SHOW data_directory')}/postmaster.pid`, 'utf8').split('\n')[0]);
  const all = readdirSync('/proc').map(Number).filter(Boolean).map((n) => [n, stat(n)]).filter(([, s]) => s);
  const db = all.filter(([n, s]) => n === postmaster || s.parent === postmaster);
  return { service: (stat(pid)?.own ?? 0) / TICK, database: db.reduce((sum, [n, s]) => sum + s.own + (n === postmaster ? s.gone : 0), 0) / TICK };
}

// One line for the closing table: what, measured, floor, and whether it holds (left out: only told).
export function verdict(what, measured, floor, holds) {
  appendFileSync(BENCH_RESULTS, `${what}|${measured}|${floor}|${holds === undefined ? '-' : holds ? 'holds' : 'MISSED'}\n`);
}
// How much of b a is: the median over the rounds, each against its neighbour in time, so that a slow moment of the machine
// counts for both.
export const paired = (a, b) => median(a.map((x, i) => x / b[i]));
export const times = (ratio) => `${ratio.toFixed(2)}x`;
