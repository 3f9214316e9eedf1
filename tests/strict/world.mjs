// world.mjs - puts the strict platforms, a merchant's web server and the real binary together.
import { createHmac } from 'node:crypto';
import { deflateSync, crc32 } from 'node:zlib';
import http from 'node:http';
import { Process, freePort, newDatabase, ok, request, same, sql, until, webServer } from '../scenario/lib.mjs';
import { APP_KEY, APP_SECRET, TikTok } from './tiktok.mjs';
import { Vtex } from './vtex.mjs';

const TOKENS = { read: 'read-token-0123456789', sync: 'sync-token-0123456789', admin: 'admin-token-0123456789' };

function crc(buf) {
  if (crc32) return crc32(buf);
  let c = ~0;
  for (const b of buf) { c ^= b; for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1)); }
  return ~c >>> 0;
}

// A PNG of one colour; the seed makes its bytes its own.
export function png(width, height, seed) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + data.length + 4);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 8 + data.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + width * 3, (seed * 37) & 255);
  row[0] = 0;
  row[1] = seed & 255;
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(Array(height).fill(row)))), chunk('IEND', Buffer.alloc(0))]);
}

export class World {
  static async start(env = {}) {
    const w = new World();
    w.tiktok = new TikTok();
    w.vtex = new Vtex();
    w.merchant = await webServer();
    w.database = newDatabase();
    w.notification = 9000;
    w.statuses = [];
    w.port = await new Promise((done) => {
      w.server = http.createServer((req, res) => {
        const chunks = [];
        req.on('data', (c) => chunks.push(c));
        req.on('error', () => {});
        req.on('end', async () => {
          let out;
          const body = Buffer.concat(chunks);
          const m = /^\/(vtex|pricing)\/([a-z0-9-]+)(\/.*)$/.exec(req.url);
          try { out = m ? w.vtex.handle(req, m[2], m[3], body) : await w.tiktok.handle(req, req.url, body); } catch (e) { w.tiktok.bad(`judge broke at ${req.url}: ${e.stack}`); out = { status: 500, raw: '' }; }
          if (out.cut) { res.socket.destroy(); return; }
          res.writeHead(out.status, { 'content-type': 'application/json', ...out.headers });
          res.end(out.raw ?? JSON.stringify(out.body));
        });
      });
      w.server.listen(0, '127.0.0.1', () => done(w.server.address().port));
    });
    w.publicPort = await freePort();
    w.opsPort = await freePort();
    const p = `http://127.0.0.1:${w.port}`;
    w.env = { DATABASE_URL: w.database, LISTEN_ADDRESS: `127.0.0.1:${w.publicPort}`, OPS_ADDRESS: `127.0.0.1:${w.opsPort}`, PUBLIC_URL: w.url,
      TIKTOK_APP_KEY: APP_KEY, TIKTOK_APP_SECRET: APP_SECRET, TIKTOK_SERVICE_ID: 'strict-service', TIKTOK_API_URL: p, TIKTOK_AUTH_URL: p,
      TIKTOK_AUTHORIZE_URL: `${p}/open/authorize`, VTEX_API_URL: `${p}/vtex/{account}`, VTEX_PRICING_URL: `${p}/pricing/{account}`,
      ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', API_TOKENS: `reader:read:${TOKENS.read},backoffice:sync:${TOKENS.sync},admin:admin:${TOKENS.admin}`,
      ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'debug', ...env };
    w.connector = new Process('strict', ['serve'], w.env);
    await until('connector is ready', async () => {
      if (w.connector.dead) throw new Error(w.connector.text().slice(-2000));
      return (await request('GET', `http://127.0.0.1:${w.opsPort}/readyz`)).status === 200;
    }, 20000);
    w.tiktok.onEvent = (shop, type, data) => { w.hook(shop, type, data).then((r) => w.statuses.push(r.status)).catch(() => {}); };
    return w;
  }

  get url() { return `http://127.0.0.1:${this.publicPort}`; }
  sql(text) { return sql(this.database, text); }

  api(method, path, body, { token = TOKENS.admin, headers = {} } = {}) {
    return request(method, this.url + path, { body: body === undefined ? undefined : JSON.stringify(body),
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body !== undefined ? { 'content-type': 'application/json' } : {}), ...headers } });
  }

  async must(method, path, body, options) {
    const r = await this.api(method, path, body, options);
    ok(r.status >= 200 && r.status < 300, `${method} ${path} answered ${r.status}: ${r.text.slice(0, 600)}`);
    return r.json;
  }

  // The raw text is what travels, so that ids may be numbers of any length.
  hook(shop, type, data, { id = ++this.notification, secret = APP_SECRET } = {}) {
    return this.rawHook(`{"type":${type},"tts_notification_id":"${id}","shop_id":"${shop}","timestamp":${Math.floor(Date.now() / 1000)},"data":${data},"odd":[]}`, { secret });
  }

  rawHook(raw, { secret = APP_SECRET, sign } = {}) {
    const signature = sign ?? createHmac('sha256', secret).update(APP_KEY).update(raw).digest('hex');
    return request('POST', `${this.url}/tiktok/webhook`, { body: raw, headers: { 'content-type': 'application/json', authorization: signature } });
  }

  // The browser's part up to TikTok's page: state and cookies.
  async begin(hash) {
    const r = await this.api('GET', `/tiktok/authorize?client_hash=${hash}`);
    same(r.status, 302, `authorize (${r.text.slice(0, 200)})`);
    const to = new URL(r.headers.location);
    const cookies = [r.headers['set-cookie'] ?? []].flat();
    return { to, state: to.searchParams.get('state'), cookies, jar: cookies.map((c) => c.split(';')[0]).join('; ') };
  }

  back(query, jar) {
    return request('GET', `${this.url}/tiktok/callback?${query}`, { headers: jar ? { cookie: jar } : {} });
  }

  async connect(hash, openId) {
    const b = await this.begin(hash);
    const r = await this.back(`code=${encodeURIComponent(this.tiktok.grant(openId))}&state=${encodeURIComponent(b.state)}`, b.jar);
    same(r.status, 303, `callback (${r.text.slice(0, 300)})`);
    return until(`${hash} is connected`, async () => {
      const s = await this.must('GET', `/v1/clients/${hash}/shops`);
      return s.items.filter((x) => x.status === 'connected').length && s.items;
    });
  }

  async run(hash, kind = 'products', body = {}, ms = 40000) {
    const r = await this.api('POST', `/v1/clients/${hash}/sync/${kind}`, body, { token: TOKENS.sync });
    same(r.status, 202, `sync/${kind} (${r.text.slice(0, 300)})`);
    return until(`run ${kind} of ${hash} ends`, async () => {
      const run = await this.must('GET', `/v1/runs/${r.json.run_id}`);
      this.lastRun = run;
      return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(run.status) && run;
    }, ms).catch((e) => { throw new Error(`${e.message} ${JSON.stringify(this.lastRun)}`); });
  }

  async products(hash) {
    const items = [];
    for (let path = `/v1/clients/${hash}/products`; path;) {
      const page = await this.must('GET', path);
      items.push(...page.items);
      path = page.next ? (page.next.startsWith('/') ? page.next : `/v1/clients/${hash}/products?cursor=${encodeURIComponent(page.next)}`) : null;
    }
    return items;
  }

  settled(hash, ms = 25000) {
    return until(`products of ${hash} settle`, async () => {
      const all = await this.products(hash);
      this.last = all.map((p) => [p.source_id, p.status]);
      return all.length && all.every((p) => p.status === 'waiting' ? p.problems.length : !['publishing', 'in_review'].includes(p.status)) && all;
    }, ms).catch((e) => { throw new Error(`${e.message} ${JSON.stringify(this.last)}`); });
  }

  // What was taken; calls that were answered with a planted failure are sent again, rightly.
  writes(from = 0) {
    return this.tiktok.calls.slice(from).filter((c) => !c.failed && /^(create|partial|edit|update|upload|activate|deactivate|delete)/.test(c.name));
  }

  noViolations() {
    same([...new Set([...this.tiktok.violations, ...this.vtex.violations])].slice(0, 20), [], 'violations');
  }
}
