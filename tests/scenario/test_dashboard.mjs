// The dashboard in a real browser: every page at desktop and phone width on the sandbox's data, a person's day, and
// what viewers and users of other clients are refused.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { BIN, CLIENT, Stack, end, ok, same, test, until } from './lib.mjs';
import { SIZES, openBrowser, signIn, visitor, wrongs } from '../browser.mjs';

const PASSWORD = 'cavalo-bateria-grampo';
const hash = execFileSync(BIN, ['user', 'hash-password'], { input: `${PASSWORD}\n`, encoding: 'utf8' }).trim();
const OTHER = 'outra-loja';
const SHOTS = process.env.SCREENSHOTS; // a folder: pictures of the pages are kept there

const s = await Stack.start({ env: { ORDER_POLL_SECONDS: '2',
  ADMIN_USERS: `ana:admin:${hash},otto:operator:${hash},vera:viewer:${hash},bia:operator:${hash}:${OTHER}` } });
const browser = await openBrowser();
await s.client();
await s.client({ name: 'Outra Loja <script>alert(1)</script>' }, OTHER);

await test('without a session every page leads to the sign-in and tells nothing', async () => {
  for (const path of ['/', '/clientes', '/fila', '/autorizacoes', '/busca?q=1', `/c/${CLIENT}`, `/c/${CLIENT}/pedidos`, `/c/${CLIENT}/configuracoes`]) {
    const r = await s.api('GET', path, undefined, { token: null });
    same(r.status, 303, path);
    ok(r.headers.location.startsWith('/login?next='), `${path} leads to ${r.headers.location}`);
    same(r.text, '', `${path} says`);
  }
  const r = await s.api('POST', `/c/${CLIENT}/iniciar`, 'what=products', { token: null });
  same(r.status, 401, 'an action');
});

await test('a wrong password is refused, each further one later; the right one opens a new session', async () => {
  const post = (user, password) => s.api('POST', '/login', `user=${user}&password=${encodeURIComponent(password)}`, { token: null });
  for (let i = 0; i < 3; i++) same((await post('otto', 'wrong-password')).status, 401, `try ${i}`);
  same(s.sql('SELECT failures FROM sign_in_failures'), '3', 'failures counted');
  s.sql('UPDATE sign_in_failures SET failures = 9, failed_at = now()'); // the wait has grown to its longest
  const late = await post('otto', PASSWORD);
  same(late.status, 429, 'the next try');
  ok(Number(late.headers['retry-after']) >= 2, `Retry-After ${late.headers['retry-after']}`);
  const well = await post('ana', PASSWORD);
  same(well.status, 303, 'the right one');
  const cookie = well.headers['set-cookie'][0];
  ok(/HttpOnly/.test(cookie) && /SameSite=Lax/.test(cookie), cookie);
  same((await post('nobody', PASSWORD)).status, 401, 'an unknown name');
  ok(!s.connector.text().includes(PASSWORD), 'no password stands in the log');
});

const empty = await visitor(browser, s.url);
await signIn(empty.page, 'ana', PASSWORD);
await test('an empty database has pages, too, and they say what to do', async () => {
  for (const path of ['/', '/clientes', '/prazos', '/fila', '/autorizacoes', '/busca?q=nada', ...['', '/pedidos', '/prazos', '/relatorio', '/anuncios', '/estoque-e-preco', '/skus-sem-vinculo',
    '/categorias', '/execucoes', '/eventos', '/autorizacao', '/historico', '/configuracoes'].map((p) => `/c/${OTHER}${p}`)]) {
    const r = await empty.page.goto(path);
    same(r.status(), 200, path);
    same(await wrongs(empty.page, empty.faults, { accessibility: path === '/' }), [], path);
  }
  await empty.page.goto('/');
  ok(/sem loja conectada/.test(await empty.page.textContent('main')), 'Hoje names the clients without a shop');
});

await s.connect();
const run = await s.run('products', {});
await until('reviews end', async () => s.sql("SELECT count(*) FROM products WHERE status IN ('publishing', 'in_review')") === '0', 60000);
const { order_id: good } = await s.adminMust('POST', '/orders', {});
await s.orderState(good, 'authorized');
const { order_id: waits } = await s.adminMust('POST', '/orders', { items: [{ seller_sku: 'NOBODY-KNOWS-1', quantity: 1 }] });
await s.orderState(waits, 'waiting_mapping');
const sku = s.sql('SELECT seller_sku FROM skus ORDER BY 1 LIMIT 1');
const live = s.sql("SELECT source_id FROM products WHERE status = 'live' ORDER BY 1 LIMIT 1");
const refused = s.sql("SELECT source_id FROM products WHERE status NOT IN ('live') ORDER BY 1 LIMIT 1");
const e = encodeURIComponent;

// The checker of accessibility looks at every page once, at desktop width, and on the phone where the layout differs.
const PHONE = ['hoje', 'clientes', 'pedidos', 'pedido', 'fila', 'configuracoes'];
const PAGES = {
  hoje: '/', clientes: '/clientes', prazos: '/prazos', 'prazos-cliente': `/c/${CLIENT}/prazos`, relatorio: `/c/${CLIENT}/relatorio`, fila: '/fila', autorizacoes: '/autorizacoes', busca: `/busca?q=${good}`,
  cliente: `/c/${CLIENT}`, pedidos: `/c/${CLIENT}/pedidos`, pedido: `/c/${CLIENT}/pedidos/${good}`,
  'pedido-espera': `/c/${CLIENT}/pedidos/${waits}`, 'skus-sem-vinculo': `/c/${CLIENT}/skus-sem-vinculo`,
  anuncios: `/c/${CLIENT}/anuncios`, anuncio: `/c/${CLIENT}/anuncios/${e(live)}`, 'anuncio-recusado': `/c/${CLIENT}/anuncios/${e(refused)}`,
  'estoque-e-preco': `/c/${CLIENT}/estoque-e-preco?todos=1`, 'por-que': `/c/${CLIENT}/estoque-e-preco/${e(sku)}`,
  categorias: `/c/${CLIENT}/categorias`, execucoes: `/c/${CLIENT}/execucoes`, execucao: `/c/${CLIENT}/execucoes/${run.id}`,
  eventos: `/c/${CLIENT}/eventos`, autorizacao: `/c/${CLIENT}/autorizacao`, historico: `/c/${CLIENT}/historico`,
  configuracoes: `/c/${CLIENT}/configuracoes`,
};
for (const [size, viewport] of Object.entries(SIZES)) {
  const v = await visitor(browser, s.url, viewport);
  await signIn(v.page, 'ana', PASSWORD);
  await test(`every page at ${size} width: nothing overflows, fails, leaves the host or keeps people out`, async () => {
    const bad = [];
    for (const [name, path] of Object.entries(PAGES)) {
      const r = await v.page.goto(path);
      same(r.status(), 200, path);
      bad.push(...(await wrongs(v.page, v.faults, { accessibility: size === 'desktop' || PHONE.includes(name) })).map((w) => `${name}: ${w}`));
      const size_bytes = (await r.body()).length;
      if (size_bytes > 100_000) bad.push(`${name}: ${size_bytes} bytes`);
      if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await v.page.screenshot({ path: `${SHOTS}/${name}-${size}.png`, fullPage: true }); }
    }
    same(bad, [], 'what is wrong');
  });
  await v.context.close();
}

await test('in English, too, and without JavaScript', async () => {
  const v = await visitor(browser, s.url, SIZES.desktop, { javaScriptEnabled: false });
  await signIn(v.page, 'vera', PASSWORD);
  same(await v.page.textContent('h1'), 'Hoje', 'Portuguese comes first');
  await v.page.click('text=English');
  same(await v.page.textContent('h1'), 'Today', 'English');
  await v.page.click('text=Clients');
  same(await v.page.textContent('h1'), 'Clients', 'it stays');
  same(v.faults, [], 'faults');
  await v.context.close();
});

await test('a person links a SKU and the order that waited goes on', async () => {
  const v = await visitor(browser, s.url, SIZES.phone);
  await signIn(v.page, 'ana', PASSWORD);
  await v.page.click('text=Pedidos que aguardam vínculo de SKU >> xpath=.. >> a');
  same(await v.page.textContent('h1'), 'SKUs sem vínculo', 'page');
  const known = s.sql("SELECT vtex_sku_id FROM skus WHERE vtex_sku_id IS NOT NULL ORDER BY seller_sku LIMIT 1");
  await v.page.fill('input[name=vtex_sku_id]', known);
  await Promise.all([v.page.waitForNavigation(), v.page.click('button:text("Vincular")')]);
  ok(/vinculado/.test(await v.page.textContent('.note.ok')), 'says that it is done');
  await s.orderState(waits, 'authorized');
  same(s.sql("SELECT who FROM audit WHERE action = 'sku_linked'"), 'user:ana', 'audit');
  same(v.faults, [], 'faults');
  await v.context.close();
});

await test('a notification is replayed, an order read again, a run watched without reloading', async () => {
  const v = await visitor(browser, s.url);
  await signIn(v.page, 'ana', PASSWORD);
  await v.page.goto(`/c/${CLIENT}/eventos`);
  await Promise.all([v.page.waitForNavigation(), v.page.click('button:text("Repetir") >> nth=0')]);
  ok(/refeito/.test(await v.page.textContent('.note.ok')), 'replayed');
  await v.page.goto(`/c/${CLIENT}/pedidos/${good}`);
  await Promise.all([v.page.waitForNavigation(), v.page.click('text=Ler de novo do TikTok')]);
  ok(/lido de novo/.test(await v.page.textContent('.note.ok')), 'read again');
  await v.page.goto(`/c/${CLIENT}`);
  await Promise.all([v.page.waitForNavigation(), v.page.click('button:text("Ler o feed agora")')]);
  ok(/Começou/.test(await v.page.textContent('.note.ok')), 'started');
  const id = s.sql("SELECT id FROM sync_runs WHERE kind = 'products' ORDER BY id DESC LIMIT 1");
  await v.page.goto(`/c/${CLIENT}/execucoes/${id}`);
  await v.page.waitForFunction(() => /Concluída/.test(document.querySelector('#run dd').textContent), null, { timeout: 60000 });
  same(s.sql(`SELECT requested_by FROM sync_runs WHERE id = '${id}'`), 'user:ana', 'asked by');
  same(v.faults, [], 'faults');
  await v.context.close();
});

await test('settings are saved; a wrong value says which field', async () => {
  const v = await visitor(browser, s.url);
  await signIn(v.page, 'ana', PASSWORD);
  await v.page.goto(`/c/${CLIENT}/configuracoes`);
  await v.page.fill('input[name="policies.price.markup_percent"]', '12,5');
  await Promise.all([v.page.waitForNavigation(), v.page.click('button:text("Salvar")')]);
  ok(/salvas/.test(await v.page.textContent('.note.ok')), 'saved');
  same((await s.must('GET', `/v1/clients/${CLIENT}`)).policies.price.markup_percent, '12.5', 'markup');
  same((await s.must('GET', `/v1/clients/${CLIENT}`)).vtex.app_key, '***', 'the credentials stay');
  await v.page.fill('input[name="policies.stock.percent"]', '400');
  const [r] = await Promise.all([v.page.waitForNavigation(), v.page.click('button:text("Salvar")')]);
  same(r.status(), 400, 'status');
  ok(/policies\.stock\.percent/.test(await v.page.textContent('main')), 'names the field');
  await v.context.close();
});

await test('hostile text is shown as text', async () => {
  const v = await visitor(browser, s.url);
  await signIn(v.page, 'ana', PASSWORD);
  for (const q of ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", '%00', 'ação & reação', '../../..', '{Clients}%s%n']) {
    for (const path of [`/busca?q=${e(q)}`, `/c/${CLIENT}/pedidos?q=${e(q)}&state=${e(q)}`, `/c/${CLIENT}/anuncios?q=${e(q)}`, `/fila?client_hash=${e(q)}&kind=${e(q)}&cursor=${e(q)}`]) {
      const r = await v.page.goto(path);
      ok([200, 400].includes(r.status()), `${path}: ${r.status()}`);
      same(await v.page.locator('main script, main img').count(), 0, `${path}: elements`);
    }
  }
  await v.page.goto('/clientes');
  ok((await v.page.textContent('main')).includes('<script>alert(1)</script>'), "the client's name is text");
  ok(v.faults.every((f) => /400/.test(f)), JSON.stringify(v.faults));
  await v.context.close();
});

// Signs in over plain HTTP: cookie and the secret of forms.
async function session(user) {
  s.sql('DELETE FROM sign_in_failures');
  const r = await s.api('POST', '/login', `user=${user}&password=${PASSWORD}`, { token: null });
  same(r.status, 303, `sign-in of ${user}`);
  const cookie = r.headers['set-cookie'][0].split(';')[0];
  const home = await s.api('GET', '/', undefined, { token: null, headers: { cookie } });
  const csrf = /name="csrf" value="([^"]+)"/.exec(home.text)[1];
  const ask = (method, path, fields, headers = {}) => s.api(method, path, fields && new URLSearchParams(fields).toString(),
    { token: null, headers: { cookie, ...headers } });
  return { cookie, csrf, get: (p) => ask('GET', p), post: (p, f = {}, h = {}) => ask('POST', p, { csrf, ...f }, h), bare: (p, f = {}, h = {}) => ask('POST', p, f, h) };
}

const ACTIONS = [`/c/${CLIENT}/iniciar`, `/c/${CLIENT}/pedidos/${good}/resync`, `/c/${CLIENT}/pedidos/${good}/import`, `/c/${CLIENT}/skus-sem-vinculo/vincular`,
  `/c/${CLIENT}/anuncios/${e(live)}/publish`, `/c/${CLIENT}/anuncios/${e(live)}/deactivate`, `/c/${CLIENT}/anuncios/${e(live)}/activate`, `/c/${CLIENT}/anuncios/${e(live)}/delete`,
  `/c/${CLIENT}/anuncios-por-causa`, `/c/${CLIENT}/categorias`, `/c/${CLIENT}/execucoes/${run.id}/approve`, `/c/${CLIENT}/execucoes/${run.id}/cancel`,
  `/c/${CLIENT}/execucoes/${run.id}/revert`, `/c/${CLIENT}/fila/1/retry`, `/c/${CLIENT}/fila/1/cancel`, `/c/${CLIENT}/eventos/1/replay`, `/c/${CLIENT}/autorizacao`,
  `/c/${CLIENT}/configuracoes`, '/fila/retry'];

await test('a viewer sees and does nothing; the refusals are written down', async () => {
  const vera = await session('vera');
  for (const path of Object.values(PAGES)) same((await vera.get(path)).status, path.endsWith('/historico') ? 403 : 200, path);
  for (const path of ACTIONS) same((await vera.post(path)).status, 403, path);
  ok(Number(s.sql("SELECT count(*) FROM audit WHERE action = 'refused' AND who = 'user:vera'")) >= ACTIONS.length, 'audit rows');
  ok(!/<form method="post" class="inline"/.test((await vera.get(`/c/${CLIENT}/pedidos/${good}`)).text), 'no button is offered');
});

await test('a user of another client finds nothing of this one', async () => {
  const bia = await session('bia');
  for (const path of Object.values(PAGES).filter((p) => p.startsWith('/c/'))) same((await bia.get(path)).status, 404, path);
  for (const path of ACTIONS.slice(0, -1)) same((await bia.post(path)).status, 404, path);
  for (const path of ['/', '/clientes', '/prazos', '/fila', '/autorizacoes', `/busca?q=${good}`]) {
    const r = await bia.get(path);
    same(r.status, 200, path);
    ok(!r.text.includes('Loja Exemplo') && !r.text.includes(`/c/${CLIENT}`), `${path} names the other client`);
  }
  same((await bia.get(`/c/${OTHER}/execucoes/${run.id}`)).status, 404, "a run of the other client under one's own");
  const job = s.sql(`SELECT id FROM jobs WHERE client_id = '${CLIENT}' LIMIT 1`);
  same((await bia.post(`/c/${OTHER}/fila/${job}/retry`)).status, 404, "a job of the other client under one's own");
  same((await bia.post('/fila/retry', { client_hash: CLIENT })).status, 404, 'retrying the jobs of the other client');
  same((await bia.post('/fila/retry')).status, 404, 'retrying the jobs of all');
  for (const path of ['/v1/clients', `/v1/clients/${CLIENT}`, '/v1/jobs', `/v1/runs/${run.id}`]) same((await bia.get(path)).status, 404, path);
  same((await bia.get(`/v1/clients/${OTHER}`)).status, 200, 'REST with the session, of the own client');
});

await test('no action without the secret of the form, or from another origin', async () => {
  const ana = await session('ana');
  for (const path of ACTIONS) {
    same((await ana.bare(path)).status, 403, `${path} without`);
    same((await ana.bare(path, { csrf: 'x'.repeat(43) })).status, 403, `${path} with a wrong one`);
    same((await ana.post(path, {}, { origin: 'https://evil.example' })).status, 403, `${path} from elsewhere`);
  }
  same((await ana.bare(`/v1/clients/${CLIENT}/sync/products`, {}, { 'x-csrf-token': 'x' })).status, 403, 'REST with a wrong header');
  const bad = await s.api('POST', '/login', `user=ana&password=${PASSWORD}`, { token: null, headers: { origin: 'https://evil.example' } });
  same(bad.status, 403, 'sign-in from elsewhere');
});

await test('signing out ends the session, so does a changed password', async () => {
  const ana = await session('ana');
  same((await ana.post('/logout')).status, 303, 'signed out');
  same((await ana.get('/')).status, 303, 'the old cookie');
  const otto = await session('otto');
  s.sql("UPDATE sessions SET fingerprint = sha256('other')");
  same((await otto.get('/')).status, 303, 'after a change of the password');
  const vera = await session('vera');
  s.sql("UPDATE sessions SET seen_at = now() - interval '31 minutes'");
  same((await vera.get('/')).status, 303, 'after half an hour without a request');
});

await test('headers: a strict policy, no cache for pages, a long one for files', async () => {
  const r = await s.api('GET', '/login', undefined, { token: null });
  const policy = r.headers['content-security-policy'];
  ok(/default-src 'none'/.test(policy) && !/unsafe|\*/.test(policy), policy);
  same(r.headers['cache-control'], 'no-store', 'page');
  const css = /\/static\/dash\.css\?v=[0-9a-f]+/.exec(r.text)[0];
  const file = await s.api('GET', css, undefined, { token: null });
  same(file.status, 200, css);
  ok(/immutable/.test(file.headers['cache-control']), file.headers['cache-control']);
  same((await s.api('GET', css, undefined, { token: null, headers: { 'if-none-match': file.headers.etag } })).status, 304, 'with its ETag');
  ok(!/ style=| onclick=|<script>|<style>/.test(r.text), 'nothing inline');
});

await browser.close();
await end();
