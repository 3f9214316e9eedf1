// A buyer is forgotten: on every order of theirs, with a record, and late news does not bring the data back.
import { end, ok, same, test, until } from './lib.mjs';
import { OrderWorld } from '../strict/orders_world.mjs';

const w = await OrderWorld.start();
const m = await w.merchant('sigilo', 'SGL', 3);
const sealed = (e) => w.sql(`SELECT document IS NOT NULL FROM tiktok_orders WHERE order_id = '${e.id}'`);
const erase = (id, token) => w.api('POST', `/v1/clients/${m.name}/orders/${id}/erase-buyer`, undefined, token ? { token } : {});

await test('erased on every order of the buyer, others stay', async () => {
  const one = w.create(m, { change: (o) => { o.user_id = '7000000000000000001'; } });
  const two = w.create(m, { change: (o) => { o.user_id = '7000000000000000001'; } });
  const other = w.create(m, { change: (o) => { o.user_id = '7000000000000000002'; } });
  for (const e of [one, two, other]) await w.authorized(e);
  same([one, two, other].map(sealed), ['t', 't', 't'], 'sealed documents');
  same((await erase(one.id, 'sync-token-0123456789')).status, 403);
  same((await erase('123')).status, 404);
  const r = await erase(one.id);
  same(r.status, 200, r.text);
  same(r.json.erased_orders, 2);
  same([one, two, other].map(sealed), ['f', 'f', 't']);
  same(w.sql(`SELECT array_length(order_ids, 1) || requested_by FROM buyer_erasures WHERE record_id = '${r.json.record_id}'`), '2token:admin');
  same((await erase(one.id)).json.erased_orders, 0, 'a second time');
  ok((await w.must('GET', `/v1/clients/${m.name}/audit`)).items.some((x) => x.action === 'buyer_erased'), 'audit');
  w.change(one, 'IN_TRANSIT');
  await w.reaches(one, 'goes on', (o) => o.state === 'shipped' && o.timeline.some((t) => t.event === 'buyer_erased'));
  await w.must('POST', `/v1/clients/${m.name}/orders/${two.id}/resync`);
  await until('the second was read again', async () => w.sql(`SELECT count(*) FROM jobs WHERE entity = '${two.id}'`) === '0');
  same([one, two, other].map(sealed), ['f', 'f', 't'], 'after late news');
  same(w.sql(`SELECT count(*) FROM tiktok_orders WHERE buyer_digest IS NOT NULL`), '1', 'digests that are left');
});

await test('the platforms found nothing wrong', () => w.noWrongs());
await end();
