// lib.mjs - what every scenario stands on: a fresh database, the sandbox, the contract checker between it and
// the connector, and the real binary with its fault points. Nothing here sleeps for luck: it waits for facts.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checker, proxy } from '../contract/checker.mjs';

export const BIN = process.env.FAULT_BIN ?? process.env.BIN ?? 'build/fault/tiktok-shop-connector';
const ADMIN_URL = process.env.TEST_DATABASE_URL;
if (!ADMIN_URL) throw new Error('TEST_DATABASE_URL is not set: run this through `make test` or tests/run.sh');
export const WORK = mkdtempSync(join(process.env.TEST_WORK ?? tmpdir(), 'scenario-'));
export const TOKENS = { read: 'read-token-0123456789', sync: 'sync-token-0123456789', admin: 'admin-token-0123456789' };
export const APP_KEY = 'sandbox-app-key';
export const APP_SECRET = 'sandbox-app-secret-for-tests';
export const CLIENT = 'loja-exemplo';

let passed = 0;
let failed = 0;
const cleanups = [];

// One case. A thrown error fails it; the message says what was seen.
export async function test(name, fn) {
  const begin = Date.now();
  try {
    await fn();
    passed++;
    console.log(`ok   ${name} (${Date.now() - begin} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}: ${e.stack ?? e}`);
  }
}

export async function end() {
  for (const fn of cleanups.reverse()) {
    await fn().catch((e) => { failed++; console.log(`FAIL clean-up: ${e.message}`); });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

export function same(got, want, what = '') {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} is ${a}, want ${b}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

// Set by `make asan` and `make tsan`: everything runs slower, and a report of the sanitizer fails the scenario.
export const SANITIZER = process.env.TEST_SANITIZER ?? '';
const SLOWER = { asan: 4, tsan: 10 }[SANITIZER] ?? 1;
const REPORT = /ERROR: AddressSanitizer|ERROR: LeakSanitizer|WARNING: ThreadSanitizer|: runtime error: /;

// Asks until fn gives something true; fails after ms with the last answer.
export async function until(what, fn, ms = 30000) {
  const deadline = Date.now() + ms * SLOWER;
  let last;
  for (;;) {
    try {
      last = await fn();
      if (last) return last;
    } catch (e) { last = e; }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms * SLOWER} ms; last: ${last?.stack ?? JSON.stringify(last)}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

const given = new Set();
export function freePort() {
  return new Promise((done, fail) => {
    const s = net.createServer();
    s.on('error', fail);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => { if (given.has(port)) freePort().then(done, fail); else { given.add(port); done(port); } });
    });
  });
}

export function sql(url, text) {
  return execFileSync('psql', [url, '-qAtXc', text], { encoding: 'utf8', env: { ...process.env, PGOPTIONS: '-c connector.tenant=*' } }).trim();
}

// A database of its own, owned by a role that row-level security binds, as a careful operator would have it.
export function newDatabase() {
  const name = `t_${randomBytes(6).toString('hex')}`;
  sql(ADMIN_URL, `CREATE ROLE ${name} LOGIN NOSUPERUSER NOBYPASSRLS`);
  sql(ADMIN_URL, `CREATE DATABASE ${name} OWNER ${name}`);
  cleanups.push(async () => {
    sql(ADMIN_URL, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    sql(ADMIN_URL, `DROP ROLE IF EXISTS ${name}`);
  });
  const url = new URL(ADMIN_URL);
  url.username = name;
  url.pathname = `/${name}`;
  return url.href;
}

// A process whose output goes to files in WORK; ended at the end if it still lives: under a sanitizer by a signal
// that lets it look for leaks. Whatever a sanitizer wrote fails the scenario.
export class Process {
  constructor(name, args, env) {
    this.name = name;
    this.log = join(WORK, `${name}-${Date.now()}-${given.size}.log`);
    const fd = openSync(this.log, 'a');
    const passed = Object.fromEntries(['PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS'].filter((k) => process.env[k]).map((k) => [k, process.env[k]]));
    this.child = spawn(BIN, args, { env: { ...passed, HOME: WORK, ...env }, stdio: ['ignore', fd, fd] });
    closeSync(fd);
    this.exited = new Promise((r) => this.child.on('exit', (code, signal) => { this.code = code; this.signal = signal; this.dead = true; r(); }));
    cleanups.push(async () => {
      if (!this.dead) { this.child.kill(SANITIZER ? 'SIGTERM' : 'SIGKILL'); await this.exited; }
      this.noReports();
    });
  }
  text() { return readFileSync(this.log, 'utf8'); }
  async kill() { this.child.kill('SIGKILL'); await this.exited; }
  async stop() {
    const begin = Date.now();
    this.child.kill('SIGTERM');
    await this.exited;
    this.noReports();
    same(this.code, 0, `${this.name} exit code after SIGTERM (log: ${this.text().slice(-600)})`);
    ok(Date.now() - begin < 10000 * SLOWER, `${this.name} took ${Date.now() - begin} ms to stop`);
  }
  noReports() {
    if (!SANITIZER) return;
    const text = this.text();
    const at = text.search(REPORT);
    ok(at < 0, `${this.name}: ${text.slice(Math.max(0, at), at + 6000)}`);
  }
}

// The path goes out as it stands in url: new URL() would tidy it up.
export async function request(method, url, { body, headers = {} } = {}) {
  const u = new URL(url);
  return new Promise((done, fail) => {
    const req = http.request({ host: u.hostname, port: u.port, path: url.slice(url.indexOf('/', 8)), method,
      headers: { ...(body !== undefined ? { 'content-length': Buffer.byteLength(body) } : {}), ...headers } }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('error', fail);
      res.on('end', () => {
        const raw = Buffer.concat(chunks);
        let json;
        try { json = JSON.parse(raw.toString('utf8')); } catch { json = undefined; }
        done({ status: res.statusCode, headers: res.headers, raw, text: raw.toString('utf8'), json });
      });
    });
    req.on('error', fail);
    req.end(body);
  });
}

// A merchant's web server whose answers a test sets: feeds and images.
export async function webServer() {
  const files = new Map();
  const hits = [];
  const server = http.createServer((req, res) => {
    const file = files.get(req.url.split('?')[0]);
    hits.push({ url: req.url, headers: req.headers });
    if (!file) { res.writeHead(404).end('not here'); return; }
    if (typeof file === 'function') { file(req, res); return; }
    res.writeHead(file.status ?? 200, { 'content-type': file.type ?? 'text/xml', ...file.headers });
    res.end(file.body);
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  cleanups.push(() => new Promise((r) => { server.close(r); server.closeAllConnections(); }));
  return { files, hits, url: `http://127.0.0.1:${server.address().port}` };
}

export class Stack {
  // options: env (connector), sandboxEnv, sandboxArgs, shops, start (false: connector not started)
  static async start(options = {}) {
    const s = new Stack();
    s.options = options;
    s.database = newDatabase();
    s.sandboxPort = await freePort();
    s.publicPort = await freePort();
    s.checker = new Checker({ appKey: APP_KEY, appSecrets: [APP_SECRET], recordFile: join(WORK, `exchanges-${s.publicPort}.jsonl`) });
    s.platforms = await proxy(s.checker, `http://127.0.0.1:${s.sandboxPort}`, (path) => {
      if (path.startsWith('/vtexpricing/')) return { peer: 'vtex', path: path.replace(/^\/vtexpricing\/[^/]+/, '') };
      if (path.startsWith('/vtex/')) return { peer: 'vtex', path: path.replace(/^\/vtex\/[^/]+/, '') };
      if (path.startsWith('/open/') || path.startsWith('/sandbox') || path.startsWith('/feeds') || path.startsWith('/images')) return null;
      return { peer: 'tiktok', path };
    });
    s.webhooks = await proxy(s.checker, `http://127.0.0.1:${s.publicPort}`, (path) => ({ peer: 'webhook', path }));
    cleanups.push(() => s.platforms.close());
    cleanups.push(() => s.webhooks.close());
    await s.startSandbox();
    if (options.start !== false) await s.startConnector();
    return s;
  }

  get sandboxUrl() { return `http://127.0.0.1:${this.sandboxPort}`; }
  get url() { return `http://127.0.0.1:${this.publicPort}`; }

  async startSandbox() {
    this.sandbox = new Process('sandbox', ['sandbox', '--address', `127.0.0.1:${this.sandboxPort}`, ...(this.options.sandboxArgs ?? [])], {
      SANDBOX_APP_KEY: APP_KEY, SANDBOX_APP_SECRET: APP_SECRET, SANDBOX_REDIRECT_URL: `${this.url}/tiktok/callback`,
      SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${this.webhooks.port}`, ...this.options.sandboxEnv });
    await until('sandbox answers', async () => {
      if (this.sandbox.dead) throw new Error(this.sandbox.text());
      return (await request('GET', `${this.sandboxUrl}/sandbox/state`)).status === 200;
    });
  }

  env(ports, extra = {}) {
    const p = `http://127.0.0.1:${this.platforms.port}`;
    return { DATABASE_URL: this.database, LISTEN_ADDRESS: `127.0.0.1:${ports.public}`, OPS_ADDRESS: `127.0.0.1:${ports.ops}`,
      PUBLIC_URL: this.url, TIKTOK_APP_KEY: APP_KEY, TIKTOK_APP_SECRET: APP_SECRET, TIKTOK_SERVICE_ID: 'sandbox-service',
      TIKTOK_API_URL: p, TIKTOK_AUTH_URL: p, TIKTOK_AUTHORIZE_URL: `${this.sandboxUrl}/open/authorize`,
      VTEX_API_URL: `${p}/vtex/{account}`, VTEX_PRICING_URL: `${p}/vtexpricing/{account}`,
      ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
      API_TOKENS: `reader:read:${TOKENS.read},backoffice:sync:${TOKENS.sync},admin:admin:${TOKENS.admin}`,
      ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'debug', IN_DOUBT_SETTLE_SECONDS: '2', ...this.options.env, ...extra };
  }

  // Starts a replica; the first one listens on the public port that everyone knows.
  async startConnector(extra = {}, { second = false, wait = true } = {}) {
    const ports = { public: second ? await freePort() : this.publicPort, ops: await freePort() };
    const c = new Process(second ? 'replica' : 'connector', ['serve'], this.env(ports, extra));
    c.ports = ports;
    if (!second) this.connector = c;
    if (wait) {
      await until('connector is ready', async () => {
        if (c.dead) throw new Error(`connector died (${c.code} ${c.signal}): ${c.text().slice(-2000)}`);
        return (await request('GET', `http://127.0.0.1:${ports.ops}/readyz`)).status === 200;
      }, 20000);
    }
    return c;
  }

  api(method, path, body, { token = TOKENS.admin, headers = {} } = {}) {
    return request(method, this.url + path, { body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body !== undefined ? { 'content-type': 'application/json' } : {}), ...headers } });
  }

  // The same, and the answer must be one of the good statuses.
  async must(method, path, body, options) {
    const r = await this.api(method, path, body, options);
    ok(r.status >= 200 && r.status < 300, `${method} ${path} answered ${r.status}: ${r.text.slice(0, 800)}`);
    return r.json;
  }

  admin(method, path, body) {
    return request(method, `${this.sandboxUrl}/sandbox${path}`, { body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { 'content-type': 'application/json' } });
  }

  // While a fault is planted the sandbox answers what no contract knows: answers are not judged then.
  async adminMust(method, path, body) {
    if (path === '/faults') this.checker.lenient = method === 'POST';
    const r = await this.admin(method, path, body);
    ok(r.status < 300, `sandbox ${method} ${path} answered ${r.status}: ${r.text.slice(0, 500)}`);
    return r.json;
  }

  async state() { return (await this.admin('GET', '/state')).json; }
  async heldProducts() { const r = (await this.admin('GET', '/products?shop=1')).json; return r.products ?? r.items ?? r; }
  async vtexOrders() { const r = (await this.admin('GET', '/vtex/orders?account=1')).json; return r.orders ?? r.items ?? r; }

  // Looks across tenants, as the service does for its own work.
  sql(text) { return sql(this.database, text); }

  client(overrides = {}, hash = CLIENT) {
    const body = { name: 'Loja Exemplo', tik_tok_shop_feed_link: `${this.sandboxUrl}/feeds/loja-exemplo.xml`,
      vtex: { account: 'lojaexemplo', app_key: 'vtexappkey-lojaexemplo-SANDBX', app_token: 'sandbox-app-token', sales_channel: '3', affiliate_id: 'TTK', warehouse_ids: ['1_1'] },
      ...overrides };
    return this.must('PUT', `/v1/clients/${hash}`, body);
  }

  // The whole OAuth walk as a browser does it: authorize, the sandbox's page, callback, the following page.
  async connect(hash = CLIENT, page = 'auto=accept') {
    const jar = [];
    const start = await this.api('GET', `/tiktok/authorize?client_hash=${hash}`);
    same(start.status, 302, `authorize (${start.text.slice(0, 300)})`);
    for (const c of [start.headers['set-cookie'] ?? []].flat()) jar.push(c.split(';')[0]);
    const accept = await request('GET', `${start.headers.location}&${page}`);
    same(accept.status, 302, `authorize page (${accept.text.slice(0, 300)})`);
    const back = await request('GET', accept.headers.location, { headers: { cookie: jar.join('; ') } });
    if (back.status !== 303) return back;
    const follow = new URL(back.headers.location, this.url).href;
    return until('shop is connected', async () => {
      const shops = await this.must('GET', `/v1/clients/${hash}/shops`);
      return shops.items.find((x) => x.status === 'connected') && { ...shops, follow };
    });
  }

  async run(kind, body, { hash = CLIENT, ms = 90000, query = '' } = {}) {
    const r = await this.api('POST', `/v1/clients/${hash}/sync/${kind}${query}`, body ?? {}, { token: TOKENS.sync });
    same(r.status, 202, `sync/${kind} (${r.text.slice(0, 400)})`);
    let last;
    return until(`run of ${kind} ends`, async () => {
      const run = await this.must('GET', `/v1/runs/${r.json.run_id}`);
      last = run;
      return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(run.status) && run;
    }, ms).catch((e) => {
      throw new Error(`${e.message}; run: ${JSON.stringify(last)}; jobs: ${this.sql("SELECT kind, entity, state, attempts, due_at, run_id, outcome, problem FROM jobs WHERE kind NOT IN ('order_poll', 'maintenance')")}`);
    });
  }

  order(orderId, hash = CLIENT) { return this.must('GET', `/v1/clients/${hash}/orders/${orderId}`); }

  orderState(orderId, states, ms = 30000, hash = CLIENT) {
    const want = [states].flat();
    return until(`order ${orderId} becomes ${want}`, async () => {
      const r = await this.api('GET', `/v1/clients/${hash}/orders/${orderId}`);
      return r.status === 200 && want.includes(r.json.state) ? r.json : r.json && (globalThis.lastOrder = r.json, false);
    }, ms).catch((e) => { throw new Error(`${e.message}; order: ${JSON.stringify(globalThis.lastOrder)}`); });
  }

  // Calls that the checker saw, by operation (without version).
  calls(operation) {
    return this.checker.exchanges.filter((x) => x.operation && x.operation.replace(/_\d{6}$/, '') === operation);
  }

  noViolations() {
    same([...new Set(this.checker.violations)].slice(0, 10), [], `contract violations (${this.checker.violations.length})`);
  }

  // A webhook as TikTok would send it, straight to the connector.
  webhook(body, { secret = APP_SECRET, sign, to = this.url } = {}) {
    const raw = typeof body === 'string' ? body : JSON.stringify(body);
    const signature = sign ?? createHmac('sha256', secret).update(APP_KEY + raw).digest('hex');
    return request('POST', `${to}/tiktok/webhook`, { body: raw, headers: { 'content-type': 'application/json', authorization: signature } });
  }
}

export { existsSync, execFile, join, proxy, Checker };
