// kill -9 at each named step of product creation and TikTok's bad moments: no duplicate, none missing.
import { CLIENT, Stack, end, ok, same, test, until, WORK, join } from './lib.mjs';

async function checkCatalog(s) {
  const created = new Map();
  for (const x of s.calls('create_product')) {
    if (x.status !== 200 || x.cut || x.answer[0] !== 0x7b) continue;
    const answer = JSON.parse(x.answer);
    if (answer.code !== 0) continue;
    const id = JSON.parse(x.body).external_product_id;
    if (!created.has(id)) created.set(id, new Set());
    created.get(id).add(answer.data.product_id);
  }
  for (const [id, products] of created) same(products.size, 1, `TikTok products of ${id}`);
  const { items } = await s.must('GET', `/v1/clients/${CLIENT}/products?limit=200`);
  for (const p of items) ok(['live', 'rejected', 'in_review', 'waiting', 'held'].includes(p.status), `${p.source_id} is ${p.status}`);
  const externals = (await s.heldProducts()).map((p) => p.external_product_id);
  ok(externals.length > 0 && externals.every(Boolean), `external ids: ${externals.slice(0, 5)}`);
  same(externals.length, new Set(externals).size, 'external ids in TikTok are unique');
  return items;
}

for (const [point, count] of [['feed_staged', 1], ['feed_applied', 1], ['image_uploaded', 3], ['create_before', 2], ['create_sent', 3], ['create_stored', 4]]) {
  await test(`killed at ${point}`, async () => {
    const s = await Stack.start({ start: false, sandboxArgs: ['--products', '24'], env: { LEASE_SECONDS: '5' } });
    const once = join(WORK, `once-${point}`);
    const fault = { FAULT_POINT: point, FAULT_COUNT: String(count), FAULT_ONCE_FILE: once };
    await s.startConnector(fault);
    await s.client();
    await s.connect();
    const r = await s.must('POST', `/v1/clients/${CLIENT}/sync/products`, {});
    await until('the process was killed', () => s.connector.dead, 40000);
    await s.startConnector(fault);
    const run = await until('the run ends', async () => {
      const got = await s.must('GET', `/v1/runs/${r.run_id}`);
      return ['succeeded', 'partial'].includes(got.status) && got;
    }, 90000);
    same(run.progress.done, run.progress.total, 'done');
    const items = await checkCatalog(s);
    ok(items.filter((p) => ['live', 'in_review'].includes(p.status)).length >= 20, `products: ${items.length}`);
    s.noViolations();
    await s.connector.stop();
    await s.sandbox.stop();
  });
}

await test('429, 5xx, cut and hanging answers of TikTok', async () => {
  const s = await Stack.start({ sandboxArgs: ['--products', '24'], env: { LEASE_SECONDS: '5' } });
  await s.client();
  await s.connect();
  for (const kind of ['429', '500', '503', 'cut', 'cut_before', 'html']) await s.adminMust('POST', '/faults', { where: 'tiktok', operation: 'create_product', kind, count: 2 });
  for (const kind of ['cut', '503']) await s.adminMust('POST', '/faults', { where: 'tiktok', operation: 'upload_product_image', kind, count: 2 });
  await s.adminMust('POST', '/faults', { where: 'tiktok', operation: 'get_attributes', kind: '500', count: 1 });
  const run = await s.run('products', {}, { ms: 150000 });
  same(run.progress.done, run.progress.total, `done (${JSON.stringify(run)})`);
  const items = await checkCatalog(s);
  ok(items.filter((p) => ['live', 'in_review'].includes(p.status)).length >= 20, `products: ${JSON.stringify(items.map((p) => p.status))}`);
  s.noViolations();
  await s.connector.stop();
});
await end();
