// Proposals and undo against the simulator: what TikTok proposes is approved, sent, and put back again.
import { CLIENT, Stack, end, ok, same, test, until } from './lib.mjs';

const s = await Stack.start({ sandboxArgs: ['--products', '3', '--audit-ms', '300'] });
await s.client();
await s.connect();
same((await s.run('products', {})).status, 'succeeded', 'first run');

const C = `/v1/clients/${CLIENT}`;
const live = () => until('the products are live', async () => {
  const { items } = await s.must('GET', `${C}/products`);
  return items.every((p) => p.status === 'live') && items;
});
const ended = (id) => until(`run ${id} ends`, async () => { const x = await s.must('GET', `/v1/runs/${id}`); return ['succeeded', 'partial', 'failed', 'held', 'cancelled'].includes(x.status) && x; });
const jobsDone = () => until('the job is done', async () => s.sql("SELECT count(*) FROM jobs WHERE kind = 'product_publish'").trim() === '0');
const [first] = await live();

await test('the simulator proposes, for all live products in one call each', async () => {
  const r = await s.must('POST', `${C}/proposals`, { source_ids: (await live()).map((p) => p.source_id) });
  const run = await ended(r.run_id);
  same([run.status, run.progress.done], ['succeeded', 3], JSON.stringify(run));
  const { items } = await s.must('GET', `${C}/proposals?state=proposed&limit=200`);
  ok(items.some((p) => p.field === 'description' && p.kind === 'recommendation') && items.some((p) => p.kind === 'white_background') && items.some((p) => p.field === 'title' && Array.isArray(p.proposed)), JSON.stringify(items.map((p) => [p.source_id, p.field, p.kind])));
  same((await s.must('GET', `${C}/proposals?state=refused`)).items, [], 'refused');
  for (const op of ['product_information_issue_diagnosis', 'get_products_seo_words', 'get_recommended_product_title_and_description', 'optimized_images']) same(s.calls(op).length, 1, op);
});

await test('the simulator has a category tree and rules to read', async () => {
  const run = await s.run('categories', {});
  same([run.status, run.progress.failed, run.progress.done > 1], ['succeeded', 0, true], JSON.stringify(run));
  ok(Number(s.sql("SELECT count(*) FROM tiktok_category_tree WHERE is_leaf AND available AND path LIKE '% > %'")) > 0, 'leaves with a path');
});

let approved;
await test('an approved description and picture are taken', async () => {
  const { items } = await s.must('GET', `${C}/products/${encodeURIComponent(first.source_id)}/proposals?state=proposed`);
  const text = items.find((p) => p.field === 'description');
  approved = await s.must('POST', `${C}/proposals/${text.id}/approve`, {});
  same((await ended(approved.sent_run_id)).status, 'succeeded', 'run');
  await until('sent', async () => (await s.must('GET', `${C}/proposals/${text.id}`)).state === 'sent');
  await live();
  const picture = items.find((p) => p.kind === 'white_background');
  await s.must('POST', `${C}/proposals/${picture.id}/approve`, {});
  await until('sent', async () => (await s.must('GET', `${C}/proposals/${picture.id}`)).state === 'sent');
  await live();
});

await test('the run that sent it is put back, and stays back', async () => {
  const r = await s.must('POST', `/v1/runs/${approved.sent_run_id}/revert`, {});
  same((await ended(r.run_id)).status, 'succeeded', 'revert');
  const { items } = await s.must('GET', `/v1/runs/${r.run_id}/changes`);
  same(items.map((c) => [c.field, c.outcome, c.rule]), [['description', 'published', 'feed']], JSON.stringify(items));
  same((await s.must('GET', `${C}/overrides`)).items.map((o) => o.field), ['images'], 'the picture is still held');
  await live();
  const before = s.calls('partial_edit_product').length;
  await s.must('POST', `${C}/products/${encodeURIComponent(first.source_id)}/publish`, {});
  await jobsDone();
  same(s.calls('partial_edit_product').length, before, 'edits');
});

await test('every exchange kept to both contracts', () => s.noViolations());
await test('SIGTERM ends it', () => s.connector.stop());
await end();
