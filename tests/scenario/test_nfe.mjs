// The invoice of an order: found in VTEX or handed in, checked, brought to TikTok, followed to the end; nothing is shipped
// before TikTok says SUCCESS. Strict platforms judge every call (tests/strict/orders_fulfil.mjs).
import { end, ok, same, sql, test, until, webServer, WORK, TOKENS, join } from './lib.mjs';
import { Rig } from '../strict/fulfil_rig.mjs';
import { nfe, settle } from '../strict/orders_fulfil.mjs';

const r = await Rig.start({ shipping: { automatic: 'after_invoice' } });
const { tiktok } = r;

await test('an embedded NF-e goes to TikTok, and the package is shipped only after SUCCESS', async () => {
  const e = await r.order();
  same((await r.get(e)).invoice.state, 'awaiting_invoice', 'invoice');
  const made = r.invoiced(e);
  await until('the file is at TikTok', () => e.parcel.invoice?.key === made.key);
  await r.state(e, 'processing');
  same(e.parcel.status, 'TO_FULFILL', 'package before SUCCESS');
  await settle(tiktok, e.parcel, 'SUCCESS');
  await r.shipped(e);
  const j = await r.state(e, 'accepted');
  same(j.invoice, { state: 'accepted', reason: null, reason_pt: null }, 'invoice');
  same([e.parcel.uploads.length, e.parcel.ships, e.parcel.how.handover_method], [1, 1, 'DROP_OFF'], 'uploads, ships, method');
  await r.reaches(e, (x) => ['invoiced', 'shipped'].includes(x.state), 'invoiced');
  for (const event of ['invoice_sent', 'invoice_accepted', 'package_arranged']) ok(j.timeline.some((t) => t.event === event), `life line lacks ${event}`);
});

await test('a lost notification is made up for by reading the order', async () => {
  const e = await r.order();
  r.invoiced(e);
  await until('uploaded', () => e.parcel.invoice);
  await settle(tiktok, e.parcel, 'SUCCESS', undefined, { push: false });
  await r.state(e, 'accepted');
});

await test('NOT_FOUND is tried again until it is accepted; the reason is told in Portuguese too', async () => {
  const e = await r.order();
  r.invoiced(e);
  await until('uploaded', () => e.parcel.invoice);
  await settle(tiktok, e.parcel, 'INVALID', 'NOT_FOUND');
  const j = await r.reaches(e, (x) => x.invoice.reason, 'a reason');
  ok(j.invoice.reason.includes('tax authority') && j.invoice.reason_pt.includes('Sefaz'), JSON.stringify(j.invoice));
  await until('uploaded again', () => e.parcel.uploads.length === 2);
  await settle(tiktok, e.parcel, 'SUCCESS');
  await r.shipped(e);
  same(e.parcel.uploads.length, 2, 'uploads');
});

for (const [reason, words] of [['NOT_AUTHORIZED', 'cancelled'], ['ACCESS_KEY_DUPLICATE', 'another package'], ['FAILED', 'broken']]) {
  await test(`${reason} is final: a person is told, and a new NF-e heals it`, async () => {
    const e = await r.order();
    r.invoiced(e);
    await until('uploaded', () => e.parcel.invoice);
    await settle(tiktok, e.parcel, 'INVALID', reason);
    const j = await r.state(e, 'refused');
    ok(j.invoice.reason.includes(words) && j.invoice.reason_pt && j.invoice.reason_pt !== j.invoice.reason, JSON.stringify(j.invoice));
    ok(j.problems.some((p) => p.code === 'invoice_refused' && p.action), JSON.stringify(j.problems));
    same([e.parcel.status, e.parcel.uploads.length], ['TO_FULFILL', 1], 'package, uploads');
    const other = nfe(r.rng, { cpf: e.cpf });
    same((await r.api('POST', `/orders/${e.id}/invoice`, other.xml)).status, 202, 'hand in');
    await until('the new one is uploaded', () => e.parcel.invoice?.key === other.key);
    await settle(tiktok, e.parcel, 'SUCCESS');
    await r.shipped(e);
  });
}

await test('files that TikTok must never get stay here, with a reason', async () => {
  for (const [file, code] of [[{ protocol: false }, 'nfe_incomplete'], [{ status: '110' }, 'nfe_not_authorized'], [{ cpf: '52998224725' }, 'nfe_recipient'],
    [{ access: '35260611222333000181550010000456781730192846' }, 'nfe_key'], [{ cnpj: '11222333000181', access: '35260626545167000121550010000456781730192840' }, 'nfe_key']]) {
    const e = await r.order();
    if (code === 'nfe_recipient' && e.cpf === file.cpf) continue;
    r.invoiced(e, { file });
    const j = await r.reaches(e, (x) => x.problems.length > 0, code);
    same([j.invoice.state, j.problems[0].code, e.parcel.uploads.length], ['awaiting_invoice', code, 0], JSON.stringify(j.problems));
    ok(j.problems[0].message_pt && j.problems[0].message_pt !== j.problems[0].message, 'Portuguese');
  }
});

await test('XML with a byte order mark, escaped quotes or another declaration is made whole', async () => {
  for (const change of [(x) => `\uFEFF${x}`, (x) => x.replaceAll('"', '\\"'), (x) => x.replace('UTF-8', 'ISO-8859-1')]) {
    const e = await r.order();
    const made = nfe(r.rng, { cpf: e.cpf });
    e.vtex.sales = [];
    r.invoiced(e, { embedded: false });
    Object.assign(e.vtex.sales[0], { embeddedInvoice: change(made.xml), invoiceNumber: made.number });
    await until('uploaded', () => e.parcel.invoice?.key === made.key);
  }
});

await test('the file behind invoiceUrl is fetched when nothing is embedded; a dead address is a visible wait', async () => {
  const e = await r.order();
  const made = nfe(r.rng, { cpf: e.cpf });
  const web = await webServer();
  r.invoiced(e, { embedded: false, url: `${web.url}/nfe.xml` });
  const j = await r.reaches(e, (x) => x.problems.some((p) => p.code === 'nfe_missing'), 'nfe_missing');
  same(j.invoice.state, 'awaiting_invoice', 'invoice');
  web.files.set('/nfe.xml', { body: made.xml });
  await until('uploaded', () => e.parcel.invoice?.key === made.key);
});

await test('a body that is no NF-e is refused at the door', async () => {
  const e = await r.order();
  const path = `/orders/${e.id}/invoice`;
  same((await r.api('POST', path, '')).status, 400, 'empty');
  for (const [body, code] of [['hello', 'nfe_not_xml'], ['<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'nfe_not_xml'], [nfe(r.rng, { protocol: false }).xml, 'nfe_incomplete'], [nfe(r.rng, { status: '302' }).xml, 'nfe_not_authorized'],
    [`${nfe(r.rng).xml.slice(0, -10)}`, 'nfe_not_xml'], [' '.repeat(760000), 'nfe_too_large']]) {
    const a = await r.api('POST', path, body);
    same([a.status, a.json.code], [422, code], body.slice(0, 60));
  }
  same((await r.api('POST', path, nfe(r.rng).xml, { token: TOKENS.read })).status, 403, 'read token');
  same((await r.api('POST', '/orders/123456789012345678/invoice', nfe(r.rng).xml)).status, 404, 'unknown order');
  same(e.parcel.uploads.length, 0, 'uploads');
  const foreign = nfe(r.rng, { cpf: '52998224725' });
  if (e.cpf !== '52998224725' && e.cpf.length === 11) {
    same((await r.api('POST', path, foreign.xml)).status, 202, 'for somebody else');
    const j = await r.state(e, 'refused');
    same([e.parcel.uploads.length, j.invoice.reason.includes('buyer')], [0, true], j.invoice.reason);
  }
});

await test('a split order has one NF-e per package, each with its own fate', async () => {
  const e = await r.order({ kind: 'units', groups: [[0, 1, 2, 4], [3]] });
  const at = (sku) => e.vtex.body.items.findIndex((i) => i.id === String(sku));
  const a = r.invoiced(e, { items: [[at(e.order.line_items[0].seller_sku), 4]] });
  const b = r.invoiced(e, { items: [[at(e.order.line_items[3].seller_sku), 1]] });
  await until('both uploaded', () => e.parcels[0].invoice?.key === a.key && e.parcels[1].invoice?.key === b.key);
  await settle(tiktok, e.parcels[0], 'SUCCESS');
  await until('the first is shipped', () => e.parcels[0].ships === 1);
  same(e.parcels[1].ships, 0, 'second before its SUCCESS');
  await settle(tiktok, e.parcels[1], 'SUCCESS');
  await r.shipped(e);
  same(e.parcels.map((p) => [p.uploads.length, p.ships]), [[1, 1], [1, 1]], 'uploads and ships');
});

for (const kind of ['cut', 'cut_before', '503', 'internal', 'retry_text', 'half', 'empty', '429']) {
  await test(`the answer of an upload is ${kind}: the file arrives once`, async () => {
    const e = await r.order();
    tiktok.faults.push({ path: '/invoice/upload', kind });
    const made = r.invoiced(e);
    await until('uploaded', () => e.parcel.invoice?.key === made.key);
    await r.state(e, 'processing');
    await settle(tiktok, e.parcel, 'SUCCESS');
    await r.shipped(e);
    ok(e.parcel.uploads.length <= 2, `uploads: ${e.parcel.uploads.length}`);
  });
}

for (const point of ['invoice_before', 'invoice_sent']) {
  await test(`killed at ${point}: the file arrives once`, async () => {
    const e = await r.order();
    await r.process.stop();
    const once = join(WORK, `once-${point}`);
    await r.up({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    const made = r.invoiced(e);
    await until('the process was killed', () => r.process.dead, 30000);
    same(r.process.signal, 'SIGKILL', 'signal');
    await r.up({ FAULT_POINT: point, FAULT_ONCE_FILE: once });
    await until('uploaded', () => e.parcel.invoice?.key === made.key);
    await r.state(e, 'processing');
    same(e.parcel.uploads.length, 1, 'uploads');
    await settle(tiktok, e.parcel, 'SUCCESS');
    await r.shipped(e);
    same(e.parcel.ships, 1, 'ships');
  });
}

await test('no file and no CPF is in the open in the database', () => {
  same(sql(r.database, "SELECT count(*) FROM invoices WHERE position('nfeProc'::bytea IN xml) > 0"), '0', 'open files');
});
await test('both platforms were asked only what they allow', () => r.noWrongs());
await r.process.stop();
await r.tiktok.close();
await r.vtex.close();
await end();
