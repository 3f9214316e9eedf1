// kill -9 in the middle of an undo and of asking for proposals: each product is put back and asked about once, and the
// runs end by exact counts.
import { CLIENT, Stack, WORK, end, join, same, test, until } from './lib.mjs';

const C = `/v1/clients/${CLIENT}`;
const ended = (s, id) => until(`run ${id} ends`, async () => { const x = await s.must('GET', `/v1/runs/${id}`); return ['succeeded', 'partial', 'failed', 'cancelled'].includes(x.status) && x; }, 60000);
const live = (s) => until('the products are live', async () => {
  const { items } = await s.must('GET', `${C}/products`);
  return items.length > 0 && items.every((p) => p.status === 'live') && items;
}, 60000);
const prices = async (s) => Object.fromEntries((await live(s)).flatMap((p) => p.skus.map((x) => [x.seller_sku, x.price.published])));

async function restarted(point, work) {
  const s = await Stack.start({ start: false, sandboxArgs: ['--products', '4', '--audit-ms', '300'], env: { LEASE_SECONDS: '5' } });
  const fault = { FAULT_POINT: point, FAULT_ONCE_FILE: join(WORK, `once-${point}`) };
  await s.startConnector(fault);
  await s.client();
  await s.connect();
  same((await s.run('products', {})).status, 'succeeded', 'first run');
  const id = await work(s);
  await until('the process was killed', () => s.connector.dead, 40000);
  await s.startConnector(fault);
  return [s, await ended(s, id)];
}

await test('killed while a run is put back', async () => {
  let before;
  const [s, run] = await restarted('revert_page', async (x) => {
    before = await prices(x);
    const some = (await live(x)).slice(0, 3).map((p) => p.skus[0].seller_sku);
    for (const sku of some) await x.adminMust('POST', `/skus/${sku}`, { price: '77.70' });
    // a new look at the products in a run of their own: what it changed is put back
    x.sql(`INSERT INTO sync_runs (client_id, id, shop_id, kind, requested_by, total, read_done) SELECT client_id, 'run-of-three', shop_id, 'products', 'test', 3, true FROM shops LIMIT 1`);
    x.sql(`INSERT INTO jobs (shop_id, kind, entity, client_id, lane, run_id) SELECT p.shop_id, 'product_publish', p.source_id, p.client_id, 3, 'run-of-three' FROM products p WHERE EXISTS (SELECT 1 FROM skus s WHERE s.shop_id = p.shop_id AND s.source_id = p.source_id AND s.seller_sku IN (${some.map((t) => `'${t}'`)}))`);
    x.sql('UPDATE shop_schedule SET due_at = now(), lane = 3');
    x.sql("SELECT pg_notify('connector_jobs', shop_id) FROM shops");
    await ended(x, 'run-of-three');
    same(some.map((sku) => x.sql(`SELECT price_published_minor FROM skus WHERE seller_sku = '${sku}'`).trim()), ['7770', '7770', '7770'], 'new prices');
    return (await x.must('POST', '/v1/runs/run-of-three/revert', {})).run_id;
  });
  same([run.status, run.progress.total, run.progress.done, run.progress.updated], ['succeeded', 3, 3, 3], JSON.stringify(run));
  same(await prices(s), before, 'prices');
  const { items } = await s.must('GET', `/v1/runs/${run.id}/changes`);
  same(items.map((c) => [c.field, c.outcome]), Array(3).fill(['price', 'published']), JSON.stringify(items));
  same(s.calls('update_price').length, 6, 'price calls');
  s.noViolations();
  await s.connector.stop();
});

await test('killed while proposals are stored', async () => {
  const [s, run] = await restarted('propose_stored', async (x) => {
    const ids = (await live(x)).map((p) => p.source_id);
    return (await x.must('POST', `${C}/proposals`, { source_ids: ids })).run_id;
  });
  same([run.status, run.progress.total, run.progress.done], ['succeeded', 4, 4], JSON.stringify(run));
  same((await s.must('GET', `/v1/runs/${run.id}/changes`)).items.length, 4, 'one line a product');
  same(s.sql("SELECT count(*) FROM (SELECT source_id, field, proposed FROM product_proposals WHERE state = 'proposed' AND proposed IS NOT NULL GROUP BY 1, 2, 3 HAVING count(*) > 1) d").trim(), '0', 'the same twice');
  s.noViolations();
  await s.connector.stop();
});

await end();
