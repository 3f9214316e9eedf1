// test_lambda.mjs - the AWS SDK of JavaScript, as published, calls the functions of the replaced system: it gets another
// endpoint and keys, nothing else.
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CLIENT, Stack, end, ok, request, same, test, until } from './lib.mjs';

const KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const P = 'integracao-tik-tok-';
const s = await Stack.start({ env: { LAMBDA_ACCESS_KEY_ID: KEY.accessKeyId, LAMBDA_SECRET_ACCESS_KEY: KEY.secretAccessKey } });
await s.client();
await s.connect();

// Without kept connections: the service closes idle ones after 30 s, and one attempt must not meet that moment.
const sdk = (options = {}) => new LambdaClient({ endpoint: s.url, region: 'sa-east-1', credentials: KEY, maxAttempts: 1,
  requestHandler: { httpAgent: new http.Agent({ keepAlive: false }) }, ...options });
const aws = sdk();
const text = (bytes) => Buffer.from(bytes ?? []).toString('utf8');
async function invoke(name, payload, options = {}, client = aws) {
  const r = await client.send(new InvokeCommand({ FunctionName: name, Payload: typeof payload === 'string' ? payload : JSON.stringify(payload), ...options }));
  return { ...r, text: text(r.Payload), json: r.Payload?.length ? JSON.parse(text(r.Payload)) : undefined };
}
async function refusal(name, payload, options, client) {
  try { const r = await invoke(name, payload, options, client); throw new Error(`was not refused: ${r.StatusCode} ${r.text}`); } catch (e) {
    if (!e.$metadata) throw e;
    return { name: e.name, status: e.$metadata.httpStatusCode, message: e.message, id: e.$metadata.requestId };
  }
}
const run = async (id) => s.must('GET', `/v1/runs/${id}`);
const runs = () => Number(s.sql('SELECT count(*) FROM sync_runs'));

await test('RequestResponse gives the finished run, with the version, an id and the end of the log', async () => {
  const r = await invoke(`${P}PRODUTOS-lista-produtos`, { type: 'triggerPrepareProductList', client_hash: CLIENT, url: '', warehouse_id: null, extra: 1 }, { LogType: 'Tail' });
  same([r.StatusCode, r.FunctionError, r.ExecutedVersion], [200, undefined, '$LATEST'], r.text);
  same([r.json.kind, r.json.client_hash, r.json.dry_run, r.json.target], ['products', CLIENT, false, 'live'], 'run');
  ok(['succeeded', 'partial'].includes(r.json.status), r.text);
  ok(r.json.progress.total >= 60, `products: ${r.text}`);
  same(await run(r.json.id), r.json, 'the run that REST shows');
  same(r.json.requested_by, `lambda:${KEY.accessKeyId}`, 'who asked');
  const log = Buffer.from(r.LogResult, 'base64').toString('utf8');
  ok(/^REPORT RequestId: \S+\tDuration: \d+ ms$/m.test(log) && log.length <= 4096, log);
  ok(/\tproduct\t\S+/.test(log), `names products: ${log}`);
  ok(log.includes(r.$metadata.requestId), 'the request id of the answer');
});

const CASES = [
  ['PRODUTOS-lista-produtos', { dry_run: true }, 'products'],
  ['PRODUTOS-compara-xml', { new_xml: '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>Z1</g:id><g:title>Caneca Azul</g:title><g:description>Boa</g:description><g:link>https://loja.example/z</g:link><g:image_link>https://loja.example/z.png</g:image_link><g:price>10.00 BRL</g:price><g:availability>in stock</g:availability></item></channel></rss>', old_xml: '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>Z1</g:id><g:title>Caneca</g:title><g:description>Boa</g:description><g:link>https://loja.example/z</g:link><g:image_link>https://loja.example/z.png</g:image_link><g:price>10.00 BRL</g:price><g:availability>in stock</g:availability></item></channel></rss>', dry_run: true }, 'changes'],
  ['VTEX-PRODUTO-ADDITIONAL-IMAGES-XML', {}, 'images'],
  ['BRANDS-VTEX', {}, 'brands'],
  ['PRECO-VTEX-monta-lista-sku', {}, 'prices'],
  ['ESTOQUE-VTEX-atualizacao-estoque', {}, 'stock'],
  ['BUSCA-PEDIDOS-TESTE', { from: '2026-01-01T00:00:00Z' }, 'orders'],
];
for (const [name, payload, kind] of CASES) {
  await test(`${name} opens a run of ${kind}, waited for or not`, async () => {
    const waited = await invoke(P + name, { client_hash: CLIENT, ...payload });
    same([waited.StatusCode, waited.FunctionError, waited.json.kind], [200, undefined, kind], waited.text);
    ok(['succeeded', 'partial'].includes(waited.json.status), waited.text);
    const before = runs();
    const event = await invoke(P + name, { client_hash: CLIENT, ...payload }, { InvocationType: 'Event' });
    same([event.StatusCode, event.text, runs()], [202, '', before + 1], 'Event');
    const dry = await invoke(P + name, { client_hash: CLIENT, ...payload }, { InvocationType: 'DryRun' });
    same([dry.StatusCode, dry.text, runs()], [204, '', before + 1], 'DryRun');
    await until('the run ends', async () => Number(s.sql("SELECT count(*) FROM sync_runs WHERE status IN ('queued','running')")) === 0, 60000);
  });
}

await test('lista-produtos-SANDBOX needs the test shop and says so', async () => {
  const r = await invoke(`${P}PRODUTOS-lista-produtos-SANDBOX`, { client_hash: CLIENT });
  same([r.StatusCode, r.FunctionError, r.json.errorType], [200, 'Unhandled', 'no_sandbox_shop'], r.text);
  ok(r.json.errorMessage.length > 10 && Array.isArray(r.json.trace), r.text);
});

await test('novo-pedido brings one order into VTEX and returns it', async () => {
  await s.adminMust('POST', '/faults', { where: 'webhook', operation: '*', kind: 'lost', count: 1000 });
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  const r = await invoke(`${P}PEDIDOS-novo-pedido-TTK`, { client_hash: CLIENT, order_id: id }, { LogType: 'Tail' });
  await s.adminMust('DELETE', '/faults');
  same([r.StatusCode, r.FunctionError, r.json.order_id, r.json.vtex_order_id], [200, undefined, id, `TTK-${id}`], r.text);
  ok(Buffer.from(r.LogResult, 'base64').toString('utf8').includes(id), 'the log is that of the order');
  same(s.calls('placeFulfillmentOrder').filter((x) => x.body.toString().includes(id)).length, 1, 'placements');
  const by = await invoke(`${P}BUSCA-PEDIDOS-TESTE`, { client_hash: CLIENT, order_id: id });
  same([by.FunctionError, by.json.kind, by.json.status], [undefined, 'orders', 'succeeded'], by.text);
});

await test('SHIPPING-PACKAGE asks for the packages of an order and returns it', async () => {
  const { order_id: id } = await s.adminMust('POST', '/orders', {});
  await s.orderState(id, 'authorized');
  const r = await invoke(`${P}SHIPPING-PACKAGE`, { client_hash: CLIENT, order_id: id });
  same([r.StatusCode, r.FunctionError, r.json.order_id], [200, undefined, id], r.text);
  ok(r.json.timeline.some((t) => t.event === 'shipment_asked'), r.text);
  same((await invoke(`${P}SHIPPING-PACKAGE`, { client_hash: CLIENT, order_id: id }, { InvocationType: 'Event' })).StatusCode, 202, 'Event');
  const nothing = await invoke(`${P}SHIPPING-PACKAGE`, { client_hash: CLIENT, order_id: '576461413038999998' });
  same([nothing.FunctionError, nothing.json.errorType], ['Unhandled', 'order_not_found'], nothing.text);
});

await test('ORDERHOOK-MANAGEMENT wants, shows and takes back the order hook', async () => {
  const name = `${P}ORDERHOOK-MANAGEMENT`;
  const none = await invoke(name, { client_hash: CLIENT, action: 'get' });
  same([none.FunctionError, none.json.errorType], ['Unhandled', 'no_order_hook'], none.text);
  const made = await invoke(name, { client_hash: CLIENT, action: 'create' }, { LogType: 'Tail' });
  same([made.StatusCode, made.FunctionError, made.json.wanted], [200, undefined, true], made.text);
  ok(Buffer.from(made.LogResult, 'base64').toString().startsWith('START RequestId'), 'a log');
  same((await s.must('GET', `/v1/clients/${CLIENT}/order-hook`)).wanted, true, 'REST shows the same');
  same((await invoke(name, { client_hash: CLIENT, action: 'get' })).json.wanted, true, 'get');
  same((await invoke(name, { client_hash: CLIENT, action: 'delete' }, { InvocationType: 'Event' })).StatusCode, 202, 'Event');
  same((await s.must('GET', `/v1/clients/${CLIENT}/order-hook`)).wanted, false, 'taken back');
  const odd = await invoke(name, { client_hash: CLIENT, action: 'replace' });
  same(odd.FunctionError, 'Unhandled', odd.text);
  ok(odd.json.errorMessage.includes('action'), odd.text);
});

await test('an order that TikTok does not know is an error of the function', async () => {
  const r = await invoke(`${P}PEDIDOS-novo-pedido-TTK`, { client_hash: CLIENT, order_id: '576461413038999999' });
  same([r.StatusCode, r.FunctionError], [200, 'Unhandled'], r.text);
  ok(!/^(invalid_field|bug)$/.test(r.json.errorType) && r.json.errorMessage, r.text);
  ok(s.checker.exchanges.some((x) => `${x.path}?${x.query}`.includes('576461413038999999')), 'TikTok was asked');
});

await test('a failed run is an error of the function and shows the run', async () => {
  const r = await invoke(`${P}PRODUTOS-lista-produtos`, { client_hash: CLIENT, url: `${s.sandboxUrl}/feeds/nothing-here.xml` });
  same([r.StatusCode, r.FunctionError, r.json.result?.status], [200, 'Unhandled', 'failed'], r.text);
  same(r.json.errorType, r.json.result.problem.code, 'type');
});

await test('the name may be an ARN, the end of one, and carry a version', async () => {
  const name = `${P}BRANDS-VTEX`;
  for (const [FunctionName, Qualifier, version] of [[`arn:aws:lambda:sa-east-1:123456789012:function:${name}`, undefined, '$LATEST'],
    [`123456789012:function:${name}`, undefined, '$LATEST'], [`arn:aws:lambda:sa-east-1:123456789012:function:${name}:7`, undefined, '7'],
    [name, '12', '12'], [name, 'PROD', '$LATEST'], [`${name}:$LATEST`, undefined, '$LATEST']]) {
    const r = await invoke(FunctionName, { client_hash: CLIENT }, { Qualifier });
    same([r.StatusCode, r.FunctionError, r.ExecutedVersion, r.json.kind], [200, undefined, version, 'brands'], FunctionName);
  }
  same((await refusal(`${name}:3`, { client_hash: CLIENT }, { Qualifier: '4' })).name, 'InvalidParameterValueException', 'two versions');
});

await test('refusals have the shapes that the SDK knows', async () => {
  const name = `${P}BRANDS-VTEX`;
  const before = runs();
  const unknown = await refusal(`${P}NADA`, { client_hash: CLIENT });
  same([unknown.name, unknown.status], ['ResourceNotFoundException', 404], 'unknown function');
  ok(unknown.message.startsWith('Function not found') && unknown.id, JSON.stringify(unknown));
  same([(await refusal(name, '{"client_hash":')).name, (await refusal(name, '[]')).name], ['InvalidRequestContentException', 'InvalidRequestContentException'], 'no JSON object');
  same((await refusal(name, {}, { InvocationType: 'Event' })).name, 'InvalidRequestContentException', 'Event without client_hash');
  same((await refusal(name, { client_hash: 'loja-desconhecida' }, { InvocationType: 'Event' })).name, 'InvalidRequestContentException', 'Event for nobody');
  same((await refusal(name, { client_hash: CLIENT }, { InvocationType: 'Later' })).name, 'InvalidParameterValueException', 'type');
  const nobody = await invoke(name, { client_hash: 'loja-desconhecida' });
  same([nobody.FunctionError, nobody.json.errorType], ['Unhandled', 'not_found'], nobody.text);
  const nothing = await invoke(name, {});
  same([nothing.FunctionError, nothing.json.errorType], ['Unhandled', 'invalid_field'], nothing.text);
  ok(nothing.json.errorMessage.includes('client_hash'), nothing.text);
  same(runs(), before, 'nothing was opened');
});

await test('only the key opens the door, in time and with all that acts signed', async () => {
  const name = `${P}BRANDS-VTEX`;
  const before = runs();
  const wrong = await refusal(name, { client_hash: CLIENT }, {}, sdk({ credentials: { ...KEY, secretAccessKey: 'another' } }));
  same([wrong.name, wrong.status], ['InvalidSignatureException', 403], 'secret');
  const other = await refusal(name, { client_hash: CLIENT }, {}, sdk({ credentials: { ...KEY, accessKeyId: 'AKIAANOTHER' } }));
  same([other.name, other.status], ['UnrecognizedClientException', 403], 'key');
  const late = await refusal(name, { client_hash: CLIENT }, {}, sdk({ systemClockOffset: -301000 }));
  same([late.name, late.status], ['InvalidSignatureException', 403], 'late');
  same((await refusal(name, { client_hash: CLIENT }, {}, sdk({ systemClockOffset: 310000 }))).status, 403, 'early');
  const bare = await request('POST', `${s.url}/2015-03-31/functions/${name}/invocations`, { body: '{}' });
  same([bare.status, bare.headers['x-amzn-errortype']], [403, 'MissingAuthenticationTokenException'], 'no signature');
  same((await s.api('POST', `/2015-03-31/functions/${name}/invocations`, { client_hash: CLIENT })).status, 403, 'a token of REST');
  same(runs(), before, 'nothing was opened');
  const session = await invoke(name, { client_hash: CLIENT }, {}, sdk({ credentials: { ...KEY, sessionToken: 'FwoGZXIvYXdzEXAMPLE//token==' } }));
  same([session.StatusCode, session.FunctionError], [200, undefined], 'a session token does not matter');
});

// The presigned form, made by hand: what the address says is signed, the body too.
function presign(name, body, { secret = KEY.secretAccessKey, hash, extra = {} } = {}) {
  const host = new URL(s.url).host;
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/sa-east-1/lambda/aws4_request`;
  const enc = (t) => encodeURIComponent(t).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const path = `/2015-03-31/functions/${enc(name)}/invocations`;
  const query = { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': `${KEY.accessKeyId}/${scope}`, 'X-Amz-Date': date, 'X-Amz-Expires': '60', 'X-Amz-SignedHeaders': 'host', ...extra };
  const line = Object.keys(query).sort().map((k) => `${enc(k)}=${enc(query[k])}`).join('&');
  const sha = (t) => createHash('sha256').update(t).digest('hex');
  const canonical = ['POST', path.split('/').map(enc).join('/'), line, `host:${host}`, '', 'host', hash ?? sha(body)].join('\n');
  const key = [date.slice(0, 8), 'sa-east-1', 'lambda', 'aws4_request'].reduce((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${secret}`);
  const signature = createHmac('sha256', key).update(['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n')).digest('hex');
  return `${s.url}${path}?${line}&X-Amz-Signature=${signature}`;
}

await test('a presigned address works, also for an Event, and for this payload only', async () => {
  const arn = `arn:aws:lambda:sa-east-1:123456789012:function:${P}BRANDS-VTEX`;
  const body = JSON.stringify({ client_hash: CLIENT });
  const good = await request('POST', presign(arn, body), { body });
  same([good.status, good.json?.kind], [200, 'brands'], good.text);
  same((await request('POST', presign(arn, body, { extra: { 'X-Amz-Invocation-Type': 'Event' } }), { body })).status, 202, 'Event');
  same((await request('POST', presign(arn, body), { body: `${body} ` })).status, 403, 'another payload');
  same((await request('POST', presign(arn, body, { secret: 'x' }), { body })).status, 403, 'another key');
  same((await request('POST', presign(arn, body, { hash: 'UNSIGNED-PAYLOAD' }), { body, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })).status, 403, 'an unsigned payload');
  same((await request('POST', presign(arn, body), { body, headers: { 'x-amz-invocation-type': 'DryRun' } })).status, 403, 'a header that acts and is not signed');
});

await test('a payload of a megabyte is taken, one that is far larger refused as AWS does', async () => {
  const big = `<rss version="2.0"><channel>${' '.repeat(1_000_000)}</channel></rss>`;
  const r = await invoke(`${P}PRODUTOS-compara-xml`, { client_hash: CLIENT, new_xml: big, old_xml: '<rss version="2.0"><channel></channel></rss>', dry_run: true });
  same(r.StatusCode, 200, r.text);
  ok(r.json.kind === 'changes' || r.json.result?.kind === 'changes', `it became a run: ${r.text}`);
  const huge = await refusal(`${P}PRODUTOS-compara-xml`, { client_hash: CLIENT, new_xml: ' '.repeat(3_000_000) });
  same([huge.name, huge.status], ['RequestTooLargeException', 413], 'three megabytes');
});

await test('nothing of a signature is in the log', () => {
  const log = s.connector.text();
  ok(!log.includes('Signature=') && !log.includes(KEY.secretAccessKey) && !log.includes('FwoGZX'), 'log');
});
await test('SIGTERM ends it while calls wait', async () => {
  await s.adminMust('POST', '/faults', { where: 'vtex', operation: '*', kind: 'hang', count: 100 });
  const before = runs();
  const waits = invoke(`${P}BRANDS-VTEX`, { client_hash: CLIENT }).catch((e) => e);
  await until('it waits', () => runs() > before && Number(s.sql("SELECT count(*) FROM sync_runs WHERE status IN ('queued','running')")) > 0);
  await s.connector.stop();
  const r = await waits;
  ok(r.json?.errorType === 'Sandbox.Timedout' || r.$metadata?.httpStatusCode === 503, `answer at the end: ${r.text ?? r}`);
});
await end();
