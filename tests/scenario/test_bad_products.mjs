// Bad texts and bad picture hosts: each product says what was mended or why it waits, and the others go on. Judged by
// the strict platforms.
import { end, ok, same, test, until } from './lib.mjs';
import { furnish, rss } from '../strict/merchant.mjs';
import { World, png } from '../strict/world.mjs';

const H = 'loja-textos';
const SHOP = '7495000000000000061';
const w = await World.start();
const { tiktok } = w;
furnish(tiktok);
tiktok.addSeller('seller-textos', [SHOP]);
let seed = 900;
const img = (name) => {
  const path = `/img/${name}.png`;
  if (!w.merchant.files.has(path)) w.merchant.files.set(path, { type: 'image/png', body: png(320, 320, ++seed) });
  return w.merchant.url + path;
};
const base = { description: 'Boa', link: 'https://loja.example/p', availability: 'in stock', price: '50.00 BRL', inventory: '10', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' };
const cdata = (text) => `raw:<![CDATA[${text}]]>`;
const find = (id) => [...tiktok.products.values()].find((p) => p.skus.some((s) => s.seller_sku === id));
const product = (id) => w.must('GET', `/v1/clients/${H}/products/${id}`);
const live = (id) => until(`${id} is live`, async () => (await product(id)).status === 'live').catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await product(id))}`); });
const set = (items) => w.merchant.files.set('/t.xml', { body: rss('g', items.map((i) => ({ ...base, image_link: img(i.id), ...i }))) });
const problems = async (id) => (await product(id)).problems.filter((x) => x.code !== 'brand_dropped');

await w.must('PUT', `/v1/clients/${H}`, { name: 'Loja Textos', tik_tok_shop_feed_link: `${w.merchant.url}/t.xml`, policies: { price: { source: 'feed' }, stock: { source: 'feed' } } });
await w.connect(H, 'seller-textos');

// [id, item, what stands there then, codes of what the product says]; title null: it is not listed.
const TEXTS = [
  ['T0', { title: 'Caneca comum' }, { title: 'Caneca comum', description: '<p>Boa</p>' }, []],
  ['T1', { title: 'palavra '.repeat(500).trim() }, { title: /^palavra( palavra){36,}$/ }, ['title_cut']],
  ['T2', { title: 'x'.repeat(4000) }, { title: 'x'.repeat(9) }, ['title_cleaned']],
  ['T3', { title: '🔥🔥 Caneca 👩‍👩‍👧 quente 🇧🇷 1️⃣ ❤️', description: 'Só hoje 🔥🔥🔥' }, { title: 'Caneca quente 1', description: '<p>Só hoje</p>' }, ['title_cleaned', 'description_cleaned']],
  ['T4', { title: '🔥🔥🔥' }, null, ['missing_title']],
  ['T5', { title: 'raw:Caneca\t\r\n&#x85;&#x7f; com&#x9f; controle', description: 'raw:Uma&#x80;&#x9f; linha&#x200b;' }, { title: 'Caneca com controle', description: '<p>Uma linha</p>' }, ['description_cleaned']],
  ['T6', { title: cdata('Caneca <b>forte</b> &lt;i&gt;'), description: cdata(`${'<div><section>'.repeat(3000)}<p onclick="x()">Fundo <b><i><a href="javascript:x()">do poço</b></p><script>alert(1)</script><iframe src="http://x"></iframe>${'</div>'.repeat(4000)}`) },
    { description: '<p>Fundo <strong>do poço</strong></p>' }, null],
  ['T7', { title: 'Caneca longa', description: `${'Uma frase inteira. '.repeat(4000)}Fim` }, { title: 'Caneca longa', description: /^<p>Uma frase/ }, ['description_cut']],
  ['T8', { title: 'Caneca sem texto', description: cdata('<script>nada</script>  ') }, { description: '<p>Caneca sem texto</p>' }, []],
  ['T9', { title: 'Caneca última' }, { title: 'Caneca última' }, []],
];

await test('odd texts: each product says what was mended or what it waits for, all the others are live', async () => {
  set(TEXTS.map(([id, item]) => ({ id, ...item })));
  const run = await w.run(H, 'products', {}, 90000);
  const wrong = [];
  for (const [id, , want, codes] of TEXTS) {
    if (want) await live(id).catch((e) => wrong.push(e.message));
    const got = (await problems(id)).map((x) => x.code);
    if (codes && JSON.stringify([...new Set(got)]) !== JSON.stringify(codes)) wrong.push(`${id} says ${JSON.stringify(await problems(id))}, want ${codes}`);
    if (!want && (find(id) || !got.length)) wrong.push(`${id}: ${JSON.stringify(await product(id))}`);
    for (const [field, text] of Object.entries(want ?? {})) {
      const there = find(id)?.[field];
      if (!(text instanceof RegExp ? text.test(there) : text === there)) wrong.push(`${id} has the ${field} ${JSON.stringify(there)?.slice(0, 300)}`);
    }
  }
  same(wrong, [], 'wrong');
  ok(['succeeded', 'partial'].includes(run.status), JSON.stringify(run));
  w.noViolations();
});

// A few bytes now and then for ever; an answer that never comes; a connection that ends at once.
const dribble = (req, res) => {
  res.writeHead(200, { 'content-type': 'image/png' });
  res.write(png(320, 320, 1).subarray(0, 40));
  const timer = setInterval(() => res.write('x'), 500);
  res.on('close', () => clearInterval(timer));
};
const silent = () => {};
const SLOW = [['S1', 'dribbles', dribble], ['S2', 'never answers', silent], ['S3', 'hangs up', (req, res) => res.socket.destroy()], ['S4', 'answers 503', { status: 503, body: 'busy' }]];

await test('a picture host that is slow or away: its products are retried, visibly; the others are live meanwhile', async () => {
  for (const [id, , file] of SLOW) w.merchant.files.set(`/slow/${id}.png`, file);
  const items = TEXTS.map(([id, item]) => ({ id, ...item }));
  // Each waits ten seconds for the slow ones.
  const slow = SLOW.flatMap(([id, what]) => [
    { id, title: `Caneca com foto que ${what}`, additional_image_link: `${w.merchant.url}/slow/${id}.png` },
    { id: `${id}x`, title: `Caneca só com foto que ${what}`, image_link: `${w.merchant.url}/slow/${id}.png` }]);
  set([...slow, ...items, { id: 'T10', title: 'Caneca depois de todas' }]);
  const r = await w.must('POST', `/v1/clients/${H}/sync/products`, {});
  await Promise.all([live('T10'), ...SLOW.map(async ([id, what]) => {
    const job = await until(`the job of ${id} shows a problem`, async () => (await w.must('GET', `/v1/clients/${H}/jobs?limit=200`)).items.find((j) => j.entity === id && j.problem));
    ok(job.state !== 'parked' && job.problem.code === 'image_host_away', `${what}: ${JSON.stringify(job)}`);
    ok(['publishing', 'waiting'].includes((await product(id)).status), `${what}: ${JSON.stringify(await product(id))}`);
  })]);
  same((await w.must('GET', `/v1/runs/${r.run_id}`)).status, 'running', 'the run waits for the slow ones');
  await until('the run ends', async () => {
    w.sql("UPDATE jobs SET due_at = now(), attempts = greatest(attempts, 3) WHERE kind = 'product_publish' AND state = 'ready' AND attempts > 0");
    w.sql('UPDATE shop_schedule SET due_at = now()');
    return (await w.must('GET', `/v1/runs/${r.run_id}`)).finished_at;
  }, 120000);
  for (const [id, what] of SLOW) {
    await live(id);
    same([find(id).main_images.length, (await problems(id)).map((x) => [x.code, x.field])], [1, [['image_host_away', 'images']]], what);
    const alone = await product(`${id}x`);
    ok(!find(`${id}x`) && ['waiting', 'rejected'].includes(alone.status) && alone.problems.some((x) => x.code === 'image_host_away'), `only one, ${what}: ${JSON.stringify(alone)}`);
  }
  w.noViolations();
});

await test('when the hosts are back, the next run brings their pictures', async () => {
  for (const [id] of SLOW) w.merchant.files.set(`/slow/${id}.png`, { type: 'image/png', body: png(330, 330, ++seed) });
  for (const [id] of SLOW) { await w.must('POST', `/v1/clients/${H}/products/${id}/publish`); await w.must('POST', `/v1/clients/${H}/products/${id}x/publish`); }
  for (const [id, what] of SLOW) {
    await live(`${id}x`);
    await until(`both pictures of ${id}`, () => find(id).main_images.length === 2);
    await until(`no problem is left (${what})`, async () => !(await problems(id)).length && !(await problems(`${id}x`)).length);
  }
  w.noViolations();
});

await test('SIGTERM ends it', () => w.connector.stop());
await end();
