// orders_world.mjs - the strict order platforms, a database and the real binary put together for one scenario.
import { Process, freePort, newDatabase, ok, request, same, sql, TOKENS, until } from '../scenario/lib.mjs';
import { Verdict, chance } from './orders_common.mjs';
import { APP_KEY, APP_SECRET, TikTok } from './orders_tiktok.mjs';
import { Vtex } from './orders_vtex.mjs';
import { make } from './orders_shapes.mjs';

export class OrderWorld {
  // env: settings beside the usual ones. Polls are quick unless env says otherwise.
  static async start(env = {}, seed = Number(process.env.SEED ?? Date.now() % 1000000)) {
    const w = new OrderWorld();
    console.log(`SEED=${seed}`);
    w.rng = chance(seed);
    w.verdict = new Verdict();
    w.tiktok = await new TikTok(w.verdict, w.rng).start();
    w.vtex = await new Vtex(w.verdict, chance(seed + 1), 3000).start();
    w.database = newDatabase();
    w.port = await freePort();
    w.ops = await freePort();
    w.home = `http://127.0.0.1:${w.port}`;
    w.merchants = [];
    w.env = { DATABASE_URL: w.database, LISTEN_ADDRESS: `127.0.0.1:${w.port}`, OPS_ADDRESS: `127.0.0.1:${w.ops}`, PUBLIC_URL: w.home, TIKTOK_APP_KEY: APP_KEY, TIKTOK_APP_SECRET: APP_SECRET,
      TIKTOK_SERVICE_ID: '7000000000000000001', TIKTOK_API_URL: w.tiktok.url, TIKTOK_AUTH_URL: w.tiktok.url, TIKTOK_AUTHORIZE_URL: `${w.tiktok.url}/open/authorize`, VTEX_API_URL: `${w.vtex.url}/vtex/{account}`,
      VTEX_PRICING_URL: `${w.vtex.url}/vtexpricing/{account}`, ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', API_TOKENS: `reader:read:${TOKENS.read},backoffice:sync:${TOKENS.sync},admin:admin:${TOKENS.admin}`,
      ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'debug', IN_DOUBT_SETTLE_SECONDS: '3', ORDER_POLL_SECONDS: '2', VTEX_ORDER_READ_SECONDS: '86400', LEASE_SECONDS: '5', ...env };
    w.tiktok.webhookTargets = [w.home];
    await w.serve();
    return w;
  }

  async serve(extra = {}) {
    this.process = new Process('connector', ['serve'], { ...this.env, ...extra });
    await until('connector is ready', async () => {
      if (this.process.dead) throw new Error(this.process.text().slice(-2000));
      return (await request('GET', `http://127.0.0.1:${this.ops}/readyz`)).status === 200;
    }, 20000);
  }

  sql(text) { return sql(this.database, text); }

  api(method, path, body, { token = TOKENS.admin, headers = {} } = {}) {
    return request(method, this.home + path, { body: body === undefined ? undefined : JSON.stringify(body),
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } });
  }
  async must(method, path, body, options) {
    const r = await this.api(method, path, body, options);
    ok(r.status >= 200 && r.status < 300, `${method} ${path} answered ${r.status}: ${r.text.slice(0, 600)}`);
    return r.json;
  }

  // A merchant: a client here, a seller there, an account over there. Its ERP takes no order up unless the test says so.
  async merchant(name, affiliate, sc, { policies = {}, ...options } = {}) {
    const m = { name: `loja-strict-${name}`, seller: this.tiktok.seller(`loja-${name}`), account: this.vtex.account(`conta${name}`, affiliate, sc, { stays: true, ...options }), all: [] };
    m.doc = { name: `Loja ${name}`, tik_tok_shop_feed_link: 'https://loja.example/feed.xml',
      vtex: { account: m.account.name, app_key: m.account.key, app_token: m.account.token, sales_channel: String(sc), affiliate_id: affiliate, warehouse_ids: ['1_1'], hook_secret: `gancho-${name}-0123456789abcdef` },
      policies: { sync: { products: false, prices: false, stock: false, orders: true }, ...policies } };
    m.secret = m.doc.vtex.hook_secret;
    await this.must('PUT', `/v1/clients/${m.name}`, m.doc);
    await this.connect(m);
    this.merchants.push(m);
    return m;
  }

  async connect(m) {
    const first = await this.api('GET', `/tiktok/authorize?client_hash=${m.name}`);
    same(first.status, 302, `authorize (${first.text.slice(0, 200)})`);
    const to = new URL(first.headers.location);
    const cookie = [first.headers['set-cookie'] ?? []].flat().map((c) => c.split(';')[0]).join('; ');
    const back = await request('GET', `${this.home}/tiktok/callback?code=${encodeURIComponent(m.seller.code)}&state=${encodeURIComponent(to.searchParams.get('state'))}`, { headers: { cookie } });
    same(back.status, 303, `callback (${back.text.slice(0, 200)})`);
    await until(`${m.name} is connected`, async () => (await this.must('GET', `/v1/clients/${m.name}/shops`)).items.some((x) => x.status === 'connected' && x.shop_id === m.seller.shop.id));
  }

  // An order comes into being at TikTok.
  create(m, { kind = 'plain', status = 'AWAITING_SHIPMENT', tell = true, change, ...options } = {}) {
    const { order, expect } = make(this.rng, kind, options);
    order.status = status;
    change?.(order);
    Object.assign(expect, { tiktok: order, m, paid: status === 'AWAITING_SHIPMENT', payable: () => expect.paid && !expect.never });
    this.vtex.expect(m.account, expect);
    this.tiktok.put(m.seller, order);
    m.all.push(expect);
    if (tell) this.tiktok.deliver(m.seller, order);
    return expect;
  }

  change(e, status, changes = {}, tell = true) {
    if (status === 'AWAITING_SHIPMENT') e.paid = true;
    if (status === 'CANCELLED') e.cancelledAt = Date.now();
    const o = this.tiktok.set(e.m.seller, e.id, status, changes);
    if (tell) this.tiktok.deliver(e.m.seller, o);
  }

  get(e) { return this.api('GET', `/v1/clients/${e.m.name}/orders/${e.id}`); }
  placed(e) { return e.m.account.orders.get(`${e.m.account.affiliate}-${e.id}`); }

  // Waits until the order as shown satisfies the condition.
  reaches(e, what, condition, ms = 60000) {
    let last;
    return until(`order ${e.id} ${what}`, async () => {
      const r = await this.get(e);
      last = r.text.slice(0, 2500);
      return r.status === 200 && condition(r.json) && r.json;
    }, ms).catch((x) => { throw new Error(`${x.message.slice(0, 300)}; order: ${last}; jobs: ${this.sql(`SELECT json_agg(j) FROM jobs j WHERE entity = '${e.id}'`)}`); });
  }
  authorized(e) { return this.reaches(e, 'is authorized', (o) => o.state === 'authorized'); }

  noWrongs() {
    const list = [...new Set(this.verdict.list), ...[...this.tiktok.unexpected.keys()].filter((k) => !k.includes(" /product/")).map((k) => `TikTok was asked ${k}`), ...[...this.vtex.unexpected.keys()].map((k) => `VTEX was asked ${k}`)];
    same(list.slice(0, 20), [], 'what the connector did wrong');
  }
}
