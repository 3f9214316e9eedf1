// fulfil_rig.mjs - one merchant on both strict platforms, and the steps that scenarios about invoices and shipping share.
import { Process, freePort, newDatabase, ok, request, same, sql, until, TOKENS } from '../scenario/lib.mjs';
import { Verdict, chance, sleep } from './orders_common.mjs';
import { TikTok, APP_KEY, APP_SECRET } from './orders_tiktok.mjs';
import { Vtex } from './orders_vtex.mjs';
import { make } from './orders_shapes.mjs';
import { invoice, nfe, pack } from './orders_fulfil.mjs';

export const SETTLE = 3;

export class Rig {
  static async start(policies = {}) {
    const r = new Rig();
    r.seed = Number(process.env.SEED ?? Date.now() % 1000000);
    console.log(`SEED=${r.seed}`);
    r.rng = chance(r.seed);
    r.verdict = new Verdict();
    r.tiktok = await new TikTok(r.verdict, r.rng).start();
    r.vtex = await new Vtex(r.verdict, chance(r.seed + 1), SETTLE * 1000).start();
    r.database = newDatabase();
    r.port = await freePort();
    r.ops = await freePort();
    r.url = `http://127.0.0.1:${r.port}`;
    await r.up();
    r.seller = r.tiktok.seller('loja');
    r.account = r.vtex.account('contanfe', 'TTK', 3);
    await r.policies(policies);
    const first = await request('GET', `${r.url}/tiktok/authorize?client_hash=loja-nfe`, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
    same(first.status, 302, `authorize (${first.text.slice(0, 200)})`);
    const cookie = [first.headers['set-cookie'] ?? []].flat().map((c) => c.split(';')[0]).join('; ');
    const back = await request('GET', `${r.url}/tiktok/callback?code=${encodeURIComponent(r.seller.code)}&state=${encodeURIComponent(new URL(first.headers.location).searchParams.get('state'))}`, { headers: { cookie } });
    same(back.status, 303, `callback (${back.text.slice(0, 200)})`);
    await until('the shop is connected', async () => (await r.must('GET', '/shops')).items.some((x) => x.status === 'connected'));
    return r;
  }

  async up(extra = {}) {
    this.process = new Process('fulfil', ['serve'], { DATABASE_URL: this.database, LISTEN_ADDRESS: `127.0.0.1:${this.port}`, OPS_ADDRESS: `127.0.0.1:${this.ops}`, PUBLIC_URL: this.url, TIKTOK_APP_KEY: APP_KEY, TIKTOK_APP_SECRET: APP_SECRET,
      TIKTOK_SERVICE_ID: '7000000000000000001', TIKTOK_API_URL: this.tiktok.url, TIKTOK_AUTH_URL: this.tiktok.url, TIKTOK_AUTHORIZE_URL: `${this.tiktok.url}/open/authorize`, VTEX_API_URL: `${this.vtex.url}/vtex/{account}`,
      VTEX_PRICING_URL: `${this.vtex.url}/vtexpricing/{account}`, ENCRYPTION_KEYS: 'k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', API_TOKENS: `reader:read:${TOKENS.read},backoffice:sync:${TOKENS.sync},admin:admin:${TOKENS.admin}`,
      ALLOW_PRIVATE_ADDRESSES: 'true', LOG_LEVEL: 'debug', IN_DOUBT_SETTLE_SECONDS: String(SETTLE), ORDER_POLL_SECONDS: '2', LEASE_SECONDS: '5', TIMEZONE: 'America/Sao_Paulo', ...extra });
    await until('the service is ready', async () => this.process.dead || (await request('GET', `http://127.0.0.1:${this.ops}/readyz`)).status === 200, 20000);
    this.tiktok.webhookTargets = [this.url];
  }

  policies(policies) {
    return this.must('PUT', '', { name: 'Loja NF-e', vtex: { account: this.account.name, app_key: this.account.key, app_token: this.account.token, sales_channel: '3', affiliate_id: 'TTK', warehouse_ids: ['1_1'] },
      policies: { sync: { products: false, prices: false, stock: false, orders: true }, ...policies } });
  }

  api(method, path, body, { token = TOKENS.admin, headers = {} } = {}) {
    const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return request(method, `${this.url}/v1/clients/loja-nfe${path}`, { body: text, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'application/xml' : 'application/json' }), ...headers } });
  }

  async must(method, path, body, options) {
    const r = await this.api(method, path, body, options);
    ok(r.status >= 200 && r.status < 300, `${method} ${path} answered ${r.status}: ${r.text.slice(0, 600)}`);
    return r.json;
  }

  // An order that VTEX goes on with. groups: lines of each package. paid: hours ago.
  async order({ kind = 'plain', shipping = 'TIKTOK', need = 'NEED_INVOICE', groups, paid = 2, units } = {}) {
    const { order, expect } = make(this.rng, units ?? kind, { fob: shipping === 'TIKTOK' });
    Object.assign(order, { status: 'AWAITING_SHIPMENT', shipping_type: shipping, need_upload_invoice: need, paid_time: Math.floor(Date.now() / 1000) - paid * 3600 });
    expect.tiktok = order;
    expect.fob = shipping === 'TIKTOK';
    expect.payable = () => true;
    const parcels = pack(this.tiktok, this.seller, order, groups);
    this.vtex.expect(this.account, expect);
    this.tiktok.put(this.seller, order);
    await this.tiktok.deliver(this.seller, order);
    const e = { id: order.id, order, parcels, expect, parcel: parcels[0], cpf: String(order.cpf ?? '').replace(/\D/g, '') };
    await this.reaches(e, (j) => j.state === 'authorized', 'authorized');
    e.vtex = this.account.orders.get(`TTK-${order.id}`);
    await this.tiktok.deliver(this.seller, order); // news: it is looked at before its first minute is over
    return e;
  }

  // The merchant's system issues the NF-e and VTEX shows it.
  invoiced(e, { tracking = null, courier, items, url, embedded = true, file = {} } = {}) {
    const made = nfe(this.rng, { cpf: e.cpf, ...file });
    invoice(e.vtex, { number: made.number, xml: embedded ? made.xml : null, url, tracking, courier, items });
    return made;
  }

  get(e) { return this.must('GET', `/orders/${e.id}`); }

  reaches(e, test, what, ms = 40000) {
    let last;
    return until(`order ${e.id}: ${what}`, async () => {
      last = await this.get(e);
      return test(last) && last;
    }, ms).catch((x) => { throw new Error(`${x.message.slice(0, 200)}; order: ${JSON.stringify(last).slice(0, 2500)}; wrong: ${this.verdict.list.slice(0, 5)}; jobs: ${sql(this.database, `SELECT json_agg(json_build_object('kind', kind, 'state', state, 'outcome', outcome, 'problem', problem)) FROM jobs WHERE entity LIKE '${e.id}%' OR entity LIKE '115%'`)}`); });
  }

  state(e, state, ms) { return this.reaches(e, (j) => j.invoice.state === state, `invoice ${state}`, ms); }
  shipped(e, ms) { return this.reaches(e, (j) => j.packages.length > 0 && j.packages.every((p) => p.shipment === 'arranged'), 'packages arranged', ms); }

  noWrongs() {
    const list = [...new Set(this.verdict.list)];
    this.verdict.list.length = 0;
    same(list, [], 'what the platforms refuse');
    same([...[...this.tiktok.unexpected.keys()].filter((k) => k.startsWith('/fulfil') || k.includes('/order') || k.includes('/fulfillment') || k.includes('/logistics')), ...[...this.vtex.unexpected.keys()].filter((k) => !k.includes('hook'))], [], 'calls that nobody expects');
    same(sql(this.database, "SELECT count(*) FROM jobs WHERE state = 'parked'"), '0', 'parked jobs');
  }
}
export { sleep };
