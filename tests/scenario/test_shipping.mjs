// Packages: handed over or picked up with TikTok's carrier, sent by the merchant's own, in one call when there are several;
// labels, tracking, corrections; lost answers and kills never ship twice. Strict platforms judge every call.
import { end, ok, same, sql, test, until, WORK, TOKENS, join } from './lib.mjs';
import { Rig, sleep } from '../strict/fulfil_rig.mjs';
import { CARRIERS, move, pack, settle } from '../strict/orders_fulfil.mjs';

const r = await Rig.start({ shipping: { automatic: 'never', carriers: { 'Correios PAC': CARRIERS[0].id } } });
const { tiktok } = r;
const ask = (e, body, want = 202) => r.api('POST', `/orders/${e.id}/packages`, body).then((a) => same(a.status, want, a.text.slice(0, 300)) ?? a.json);

// An order whose NF-e TikTok has accepted.
async function ready(options = {}) {
  const e = await r.order(options);
  if (options.need === 'NO_NEED') return e;
  r.invoiced(e, options.sale);
  await until('uploaded', () => e.parcel.invoice);
  await settle(tiktok, e.parcel, 'SUCCESS');
  await r.state(e, 'accepted');
  return e;
}

await test('nothing is shipped by itself when the client says never; asked for, it is shipped once', async () => {
  const e = await ready();
  await sleep(5000);
  same(e.parcel.ships, 0, 'ships');
  await ask(e);
  const j = await r.shipped(e);
  same([e.parcel.ships, e.parcel.how], [1, { handover_method: 'DROP_OFF' }], 'ships');
  ok(j.timeline.some((t) => t.event === 'shipment_asked' && t.by === 'operator'), 'life line');
  await ask(e);
  await sleep(3000);
  same([e.parcel.ships, e.parcel.repeats ?? 0], [1, 0], 'ships after a second wish');
});

await test('asked for before the NF-e is accepted, it waits, and says why', async () => {
  const e = await r.order();
  await ask(e);
  await r.reaches(e, (j) => j.problems.some((p) => p.code === 'waits_for_invoice' && p.message_pt), 'waits_for_invoice');
  same(e.parcel.ships, 0, 'ships');
  r.invoiced(e);
  await until('uploaded', () => e.parcel.invoice);
  await settle(tiktok, e.parcel, 'SUCCESS');
  await r.shipped(e);
});

await test('pick-up takes the slot that was named, or the first that can be booked', async () => {
  const named = await ready();
  const slot = named.parcel.slots[2];
  const at = (s) => new Date(s * 1000).toISOString().replace('.000', '');
  await ask(named, { handover_method: 'PICKUP', pickup_slot: { start_time: at(slot.start_time), end_time: at(slot.end_time) } });
  await r.shipped(named);
  same(named.parcel.how.pickup_slot.start_time, slot.start_time, 'named slot');
  const first = await ready();
  await ask(first, { handover_method: 'PICKUP' });
  await r.shipped(first);
  same(first.parcel.how.pickup_slot.start_time, first.parcel.slots[1].start_time, 'first free slot');
});

await test('a way that TikTok does not offer is said, and another one may be asked for', async () => {
  const e = await ready();
  e.parcel.noPickup = true;
  await ask(e, { handover_method: 'PICKUP' });
  await r.reaches(e, (j) => j.problems.some((p) => p.code === 'handover_not_offered'), 'handover_not_offered');
  await ask(e, { handover_method: 'DROP_OFF' });
  await r.shipped(e);
});

await test('bodies that make no sense are refused', async () => {
  const e = await ready();
  for (const body of [{ handover_method: 'PIGEON' }, { pickup_slot: { start_time: '2026-01-01T10:00:00Z', end_time: '2026-01-01T12:00:00Z' } }, { handover_method: 'PICKUP', pickup_slot: { start_time: 'soon', end_time: 'later' } },
    { self_shipment: { tracking_number: 'X' } }, { handover_method: 'PICKUP', self_shipment: { tracking_number: 'X', shipping_provider_id: '1' } }, { package_id: '123' }, { surprise: 1 }]) await ask(e, body, 400);
  same((await r.api('POST', `/orders/${e.id}/packages`, {}, { token: TOKENS.read })).status, 403, 'read token');
  same(e.parcel.ships, 0, 'ships');
});

await test('the merchant ships: number and carrier from VTEX, by policy or by name; the number is corrected later', async () => {
  await r.policies({ shipping: { automatic: 'after_invoice', carriers: { 'correios pac': CARRIERS[0].id } } });
  for (const [courier, provider] of [['Correios PAC', CARRIERS[0].id], ['jadlog', CARRIERS[1].id]]) {
    const e = await ready({ shipping: 'SELLER', sale: { courier, tracking: null } });
    await sleep(2500);
    same(e.parcel.ships, 0, 'ships without a number');
    e.vtex.sales[0].trackingNumber = `OX${r.rng.digits(9)}BR`;
    await r.shipped(e);
    same([e.parcel.tracking, e.parcel.provider], [e.vtex.sales[0].trackingNumber, provider], 'carrier');
    e.vtex.sales[0].trackingNumber = `NEW${r.rng.digits(9)}BR`;
    await until('TikTok has the new number', () => e.parcel.tracking === e.vtex.sales[0].trackingNumber, 40000);
  }
  const e = await ready({ shipping: 'SELLER', sale: { courier: 'Transportadora Sem Nome', tracking: 'A1' } });
  const j = await r.reaches(e, (x) => x.problems.some((p) => p.code === 'carrier_unknown'), 'carrier_unknown');
  ok(j.problems[0].message.includes('Sem Nome') && j.problems[0].action_pt, JSON.stringify(j.problems));
  await ask(e, { self_shipment: { tracking_number: 'A1', shipping_provider_id: CARRIERS[1].id } });
  await r.shipped(e);
});

await test('within an hour of the payment nothing goes by itself', async () => {
  const e = await ready({ paid: 0.5 });
  await sleep(4000);
  same(e.parcel.ships, 0, 'ships');
  await r.policies({ shipping: { automatic: 'never' } });
});

await test('a buyer who asks to cancel stops the shipment', async () => {
  const e = await ready();
  e.order.is_buyer_request_cancel = true;
  await ask(e);
  await r.reaches(e, (j) => j.problems.some((p) => p.code === 'cancellation_requested'), 'cancellation_requested');
  e.order.is_buyer_request_cancel = false;
  tiktok.set(r.seller, e.id, 'AWAITING_SHIPMENT');
  await r.shipped(e);
});

await test('several packages go in one call; one that is refused does not hold up the other', async () => {
  const e = await r.order({ kind: 'units', groups: [[0, 1, 2, 4], [3]], need: 'NO_NEED' });
  const before = tiktok.batches ?? 0;
  e.parcels[1].shipRefusal = [11021014, 'product oversize'];
  await ask(e);
  const j = await r.reaches(e, (x) => x.packages.some((p) => p.shipment === 'arranged') && x.problems.some((p) => p.code === 'shipment_refused'), 'one arranged, one refused');
  same([tiktok.batches - before, e.parcels.map((p) => p.ships)], [1, [1, 0]], 'calls, ships');
  ok(j.packages.find((p) => p.package_id === e.parcels[1].id).reason.includes('oversize'), JSON.stringify(j.packages));
  await ask(e, { package_id: e.parcels[1].id });
  await r.shipped(e);
});

await test('packages that are split later are followed, the old one is forgotten', async () => {
  const e = await r.order({ kind: 'units', need: 'NO_NEED' });
  await r.reaches(e, (j) => j.packages.length === 1 && j.packages[0].shipment === 'none', 'one package');
  const parcels = pack(tiktok, r.seller, e.order, [[0, 1], [2, 3, 4]]);
  tiktok.set(r.seller, e.id, 'AWAITING_SHIPMENT');
  await tiktok.notify(r.seller, 4, { sc_type: 'SPLIT', role_type: 'ROLE_SELLER', package_list: parcels.map((p) => ({ package_id: p.id, order_id_list: [e.id] })), update_time: Math.floor(Date.now() / 1000) });
  await r.reaches(e, (j) => JSON.stringify(j.packages.map((p) => p.package_id).sort()) === JSON.stringify(parcels.map((p) => p.id).sort()), 'the new packages');
  await ask(e);
  await r.shipped(e);
  same(parcels.map((p) => p.ships), [1, 1], 'ships');
});

await test('labels: PDF and ZPL, fetched once, refused in words, waited for', async () => {
  const e = await ready();
  const early = await r.api('GET', `/orders/${e.id}/label`);
  same([early.status, early.json.code], [409, 'label_refused'], early.text.slice(0, 200));
  await ask(e);
  await r.shipped(e);
  e.parcel.labelLater = 1;
  const zpl = await r.api('GET', `/orders/${e.id}/label?format=zpl`);
  same([zpl.status, zpl.headers['content-type'], zpl.text], [200, 'application/zpl', `^XA^FO50,50^FD${e.parcel.id}^FS^XZ`], 'zpl');
  const asked = e.parcel.labels;
  const files = tiktok.files;
  for (let i = 0; i < 3; i++) same((await r.api('GET', `/orders/${e.id}/label?format=zpl`)).status, 200, 'zpl again');
  same([e.parcel.labels, tiktok.files], [asked, files], 'calls for a label that is kept');
  const pdf = await r.api('GET', `/orders/${e.id}/label?format=pdf&package_id=${e.parcel.id}`);
  same([pdf.status, pdf.headers['content-type'], pdf.text.slice(0, 5)], [200, 'application/pdf', '%PDF-'], 'pdf');
  same((await r.api('GET', `/orders/${e.id}/label?format=doc`)).status, 400, 'another format');
  same((await r.api('GET', `/orders/${e.id}/label?package_id=77`)).status, 404, 'another package');
  same(sql(r.database, "SELECT count(*) FROM package_labels WHERE position('^XA'::bytea IN body) > 0 OR position('%PDF'::bytea IN body) > 0"), '0', 'open labels');
  ok(Number(sql(r.database, "SELECT count(*) FROM audit WHERE action = 'label_read'")) >= 5, 'who looked');
});

await test('VTEX learns number, events and delivery; the order goes to its end', async () => {
  const e = await ready();
  await ask(e);
  await r.shipped(e);
  await until('VTEX has the number', () => e.vtex.sales[0].trackingNumber === e.parcel.tracking);
  same((await r.get(e)).packages[0].tracking_number, e.parcel.tracking, 'tracking');
  move(tiktok, e.parcel, 'IN_TRANSIT');
  await r.reaches(e, (j) => j.state === 'shipped', 'shipped');
  await until('VTEX has an event', () => e.vtex.sales[0].courierStatus?.data?.length === 1, 40000);
  move(tiktok, e.parcel, 'DELIVERED');
  await until('VTEX has the delivery', () => e.vtex.sales[0].courierStatus?.finished === true, 40000);
  ok(/^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(e.vtex.sales[0].courierStatus.deliveredDate), e.vtex.sales[0].courierStatus.deliveredDate);
  await r.reaches(e, (j) => j.state === 'delivered', 'delivered');
  move(tiktok, e.parcel, 'COMPLETED');
  await r.reaches(e, (j) => j.state === 'completed', 'completed');
});

for (const kind of ['cut', 'cut_before', '503', 'internal', 'retry_text', 'half', 'empty', '429']) {
  await test(`the answer of a shipment is ${kind}: shipped once`, async () => {
    const e = await r.order({ need: 'NO_NEED' });
    tiktok.faults.push({ path: '/ship', kind });
    await ask(e);
    await r.shipped(e);
    same([e.parcel.ships, e.parcel.repeats ?? 0], [1, 0], 'ships, repeats');
  });
}

await test('"shipped already" is success once the package shows it', async () => {
  const e = await r.order({ need: 'NO_NEED' });
  e.parcel.shipRefusal = [21011040, 'Package has already been shipped.'];
  const gate = until('asked', () => e.parcel.shipRefusal === null).then(() => Object.assign(e.parcel, { status: 'PROCESSING', tracking: 'TKBR1', changed: Math.floor(Date.now() / 1000) + 1 }));
  await ask(e);
  await gate;
  const j = await r.shipped(e);
  same(j.problems, [], 'problems');
});

for (const point of ['ship_before', 'ship_sent']) {
  await test(`killed at ${point}: shipped once`, async () => {
    const e = await r.order({ need: 'NO_NEED' });
    await r.process.stop();
    const once = join(WORK, `once-${point}`);
    await r.up({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    await ask(e);
    await until('the process was killed', () => r.process.dead, 30000);
    same(r.process.signal, 'SIGKILL', 'signal');
    await r.up({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    await r.shipped(e);
    same([e.parcel.ships, e.parcel.repeats ?? 0], [1, 0], 'ships, repeats');
  });
}

await test('both platforms were asked only what they allow', () => r.noWrongs());
await r.process.stop();
await r.tiktok.close();
await r.vtex.close();
await end();
