// checker.mjs - a second pair of eyes: a proxy between the connector and a platform that judges every
// exchange against the platforms' OpenAPI documents with ajv and recomputes every signature from the bytes
// that really travelled. It shares no code and no reading of the contracts with the connector or the sandbox.
import { createHmac } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import Ajv2020 from 'ajv/dist/2020.js';

const load = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const TIKTOK = load('./tiktok-openapi.json');
const VTEX = load('./vtex-openapi.json');
const WEBHOOKS = load('./tiktok-webhooks.json');

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'tiktok', components: TIKTOK.components });
ajv.addSchema({ $id: 'vtex', components: VTEX.components });

// Requests may hold known fields only: closes every object schema that lists its properties.
function closed(doc, node, inAllOf = false) {
  if (Array.isArray(node)) return node.map((n) => closed(doc, n, inAllOf));
  if (node === null || typeof node !== 'object') return node;
  if (typeof node.$ref === 'string' && node.$ref.startsWith('#/')) {
    const { $ref, ...rest } = node;
    return closed(doc, { ...resolve(doc, $ref), ...rest }, inAllOf);
  }
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties') {
      out.properties = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, closed(doc, v)]));
    } else if (key === 'allOf') {
      out.allOf = value.map((v) => closed(doc, v, true));
    } else if (['items', 'oneOf', 'anyOf', 'prefixItems'].includes(key)) {
      out[key] = closed(doc, value, inAllOf);
    } else out[key] = value;
  }
  if (out.properties && out.additionalProperties === undefined && !inAllOf) {
    if (out.allOf || out.oneOf || out.anyOf) out.unevaluatedProperties = false;
    else out.additionalProperties = false;
  }
  return out;
}

function resolve(doc, ref) {
  return ref.slice(2).split('/').reduce((n, part) => n[part.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
}

const compiled = new Map();
function validator(id, doc, schema, close) {
  if (!compiled.has(id)) {
    const body = close ? closed(doc, schema) : JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', `"${doc === TIKTOK ? 'tiktok' : 'vtex'}#/components/`));
    compiled.set(id, ajv.compile(body));
  }
  return compiled.get(id);
}

function operations(doc) {
  const list = [];
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      if (!op.operationId || op['x-direction'] === 'inbound') continue;
      const pattern = new RegExp(`^${path.replace(/\{[^}]+\}/g, '([^/]+)')}$`);
      list.push({ method: method.toUpperCase(), path, pattern, op, params: (path.match(/\{/g) ?? []).length,
        parameters: (op.parameters ?? []).map((p) => (p.$ref ? resolve(doc, p.$ref) : p)) });
    }
  }
  return list.sort((a, b) => a.params - b.params);
}
const OPS = { tiktok: operations(TIKTOK), vtex: operations(VTEX) };

function words(errors) {
  return (errors ?? []).slice(0, 12).map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`).join('; ');
}

function parse(buffer) {
  try { return { value: JSON.parse(buffer.toString('utf8')) }; } catch (e) { return { error: e.message }; }
}

// Multipart parts by name; enough to judge that the required ones are there.
function parts(buffer, type) {
  const boundary = /boundary=("?)([^";]+)\1/.exec(type)?.[2];
  if (!boundary) return null;
  const text = buffer.toString('latin1');
  const out = {};
  for (const piece of text.split(`--${boundary}`).slice(1, -1)) {
    const end = piece.indexOf('\r\n\r\n');
    const name = /name="([^"]+)"/.exec(piece.slice(0, end))?.[1];
    if (name) out[name] = piece.slice(end + 4, -2);
  }
  return out;
}

export class Checker {
  // recordFile: every exchange is appended to it as one JSON line, for a look after a failure.
  constructor({ appKey, appSecrets, recordFile }) {
    this.recordFile = recordFile;
    this.appKey = appKey;
    this.appSecrets = appSecrets;
    this.violations = [];
    this.exchanges = [];
    this.lenient = false; // answers are not judged while faults are planted on purpose
  }

  fault(x, text) {
    this.violations.push(`${x.peer} ${x.operation ?? '?'} ${x.method} ${x.path}: ${text}`);
  }

  record(x) {
    this.exchanges.push(x);
    if (!this.recordFile) return;
    const text = (b) => (b.length > 65536 ? `(${b.length} bytes)` : b.toString('utf8'));
    appendFileSync(this.recordFile, `${JSON.stringify({ at: x.at, peer: x.peer, method: x.method, path: x.path, query: x.query.toString(),
      status: x.status, cut: x.cut, request: text(x.body), answer: text(x.answer) })}\n`);
  }

  find(x) {
    return OPS[x.peer].find((o) => o.method === x.method && o.pattern.test(x.path));
  }

  checkParameters(x, found) {
    const known = new Set();
    for (const p of found.parameters) {
      if (p.in === 'query') {
        known.add(p.name);
        const given = x.query.getAll(p.name);
        if (given.length === 0) {
          if (p.required) this.fault(x, `query parameter ${p.name} is missing`);
          continue;
        }
        if (given.length > 1) this.fault(x, `query parameter ${p.name} is repeated`);
        this.checkValue(x, p, given[0]);
      } else if (p.in === 'header') {
        const value = x.headers[p.name.toLowerCase()];
        if (value === undefined) {
          if (p.required) this.fault(x, `header ${p.name} is missing`);
        } else if (p.schema?.const && value.split(';')[0].trim() !== p.schema.const) {
          this.fault(x, `header ${p.name} is "${value}", must be ${p.schema.const}`);
        }
      }
    }
    for (const name of x.query.keys()) {
      if (!known.has(name)) this.fault(x, `query parameter ${name} is not in the contract`);
      if (x.query.get(name) === '') this.fault(x, `query parameter ${name} is empty`);
    }
  }

  checkValue(x, p, text) {
    const schema = p.schema ?? {};
    let value = text;
    if (schema.type === 'integer' || schema.type === 'number') {
      value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    } else if (schema.type === 'boolean') value = text === 'true' ? true : text === 'false' ? false : text;
    else if (schema.type === 'array') value = text.split(',');
    const ok = validator(`${x.peer} ${x.operation} ?${p.name}`, x.peer === 'tiktok' ? TIKTOK : VTEX, schema, true);
    if (!ok(value)) this.fault(x, `query parameter ${p.name}: ${words(ok.errors)}`);
  }

  checkBody(x, found) {
    const doc = x.peer === 'tiktok' ? TIKTOK : VTEX;
    const content = found.op.requestBody ? (found.op.requestBody.$ref ? resolve(doc, found.op.requestBody.$ref) : found.op.requestBody).content : null;
    if (!content) {
      if (x.body.length > 0 && x.body.toString() !== '{}') this.fault(x, 'a body was sent where none belongs');
      return;
    }
    const type = (x.headers['content-type'] ?? '').split(';')[0].trim();
    const kind = content[type];
    if (!kind) return this.fault(x, `content type ${type} is not one of ${Object.keys(content)}`);
    let value;
    if (type === 'multipart/form-data') value = parts(x.body, x.headers['content-type']);
    else {
      if (x.body.length === 0 && !found.op.requestBody.required) return;
      const parsed = parse(x.body);
      if (parsed.error) return this.fault(x, `body is not JSON: ${parsed.error}`);
      value = parsed.value;
    }
    const ok = validator(`${x.peer} ${x.operation} body ${type}`, doc, kind.schema, true);
    if (!ok(value)) this.fault(x, `body: ${words(ok.errors)}`);
  }

  checkSignature(x, found) {
    if (found.op['x-signed'] === false) return;
    const multipart = (x.headers['content-type'] ?? '').split(';')[0].trim() === 'multipart/form-data';
    const pairs = [...x.query.entries()].filter(([k]) => k !== 'sign' && k !== 'access_token')
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const secret = this.appSecrets[0];
    const hmac = createHmac('sha256', secret);
    hmac.update(secret + x.path + pairs.map(([k, v]) => k + v).join(''));
    if (!multipart) hmac.update(x.body);
    hmac.update(secret);
    if (hmac.digest('hex') !== x.query.get('sign')) this.fault(x, 'signature is not over what was sent');
    if (x.query.get('app_key') !== this.appKey) this.fault(x, 'app_key is another');
    const age = Date.now() / 1000 - Number(x.query.get('timestamp'));
    if (!(age < 300 && age > -30)) this.fault(x, `timestamp is ${age} s old`);
    if (x.query.has('access_token')) this.fault(x, 'access token in the query');
    const cipher = found.op['x-shop-cipher'];
    if (cipher === 'none' && x.query.has('shop_cipher')) this.fault(x, 'cipher where none belongs');
    if (cipher !== 'none' && !x.query.has('shop_cipher')) this.fault(x, 'cipher is missing');
  }

  checkAnswer(x, found) {
    const doc = x.peer === 'tiktok' ? TIKTOK : VTEX;
    if (x.cut || x.lenient) return;
    const r = found.op.responses[String(x.status)] ?? (x.status >= 500 ? found.op.responses['5XX'] : undefined);
    if (!r) {
      if (x.status < 400 || x.peer === 'vtex' && x.status < 500 && x.status !== 400 && x.status !== 404 && x.status !== 429)
        this.fault(x, `answer status ${x.status} is not in the contract`);
      return;
    }
    const content = (r.$ref ? resolve(doc, r.$ref) : r).content?.['application/json'];
    if (!content?.schema) return;
    const parsed = parse(x.answer);
    if (parsed.error) return this.fault(x, `answer is not JSON: ${parsed.error}`);
    if (x.peer === 'tiktok' && parsed.value?.code !== 0) return;
    const ok = validator(`${x.peer} ${x.operation} ${x.status}`, doc, content.schema, false);
    if (!ok(parsed.value)) this.fault(x, `answer: ${words(ok.errors)}`);
  }

  check(x) {
    const found = this.find(x);
    if (!found) return this.fault(x, 'no such operation in the contract');
    x.operation = found.op.operationId;
    this.checkParameters(x, found);
    this.checkBody(x, found);
    if (x.peer === 'tiktok') this.checkSignature(x, found);
    else {
      for (const h of ['x-vtex-api-appkey', 'x-vtex-api-apptoken']) if (!x.headers[h]) this.fault(x, `header ${h} is missing`);
    }
    this.checkAnswer(x, found);
  }

  checkWebhook(x) {
    const want = this.appSecrets.map((s) => createHmac('sha256', s).update(this.appKey).update(x.body).digest('hex'));
    if (!want.includes(x.headers.authorization)) return;
    const parsed = parse(x.body);
    if (parsed.error) return;
    const envelope = validator('webhook envelope', TIKTOK, WEBHOOKS.envelope_schema, false);
    if (!envelope(parsed.value)) this.fault(x, `webhook: ${words(envelope.errors)}`);
    const topic = WEBHOOKS.webhooks.find((w) => w.type === parsed.value.type);
    if (topic?.data_schema) {
      const ok = validator(`webhook ${topic.type}`, TIKTOK, topic.data_schema, false);
      if (!ok(parsed.value.data)) this.fault(x, `webhook ${topic.type}: ${words(ok.errors)}`);
    }
    if (!x.cut && (x.answer.length !== 0 || ![200, 401, 503].includes(x.status))) this.fault(x, `webhook answered ${x.status} with ${x.answer.length} bytes`);
  }
}

// Headers that belong to one connection only.
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);

// Forwards to target (http://host:port); classify(path) says which peer and which contract path it is, or null.
export function proxy(checker, target, classify, { onExchange } = {}) {
  const to = new URL(target);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      const url = new URL(req.url, 'http://x');
      const rawPath = req.url.split('?')[0];
      const kind = classify(rawPath);
      const x = { at: Date.now(), peer: kind?.peer, path: kind?.path ?? rawPath, method: req.method, query: url.searchParams,
        headers: req.headers, body: Buffer.concat(chunks), answer: Buffer.alloc(0), status: 0, lenient: checker.lenient };
      const headers = Object.fromEntries(Object.entries(req.headers).filter(([k]) => !HOP.has(k)));
      if (x.body.length > 0) headers['content-length'] = x.body.length;
      const finish = () => {
        if (!kind) return;
        checker.record(x);
        if (kind.peer === 'webhook') checker.checkWebhook(x); else checker.check(x);
        onExchange?.(x);
      };
      const out = http.request({ host: to.hostname, port: to.port, method: req.method, path: req.url, headers, agent }, (answer) => {
        const got = [];
        answer.on('data', (c) => got.push(c));
        answer.on('end', () => {
          x.status = answer.statusCode;
          x.answer = Buffer.concat(got);
          x.cut = !answer.complete;
          finish();
          if (x.cut) return res.destroy();
          const back = Object.fromEntries(Object.entries(answer.headers).filter(([k]) => !HOP.has(k) && k !== 'content-length'));
          res.writeHead(answer.statusCode, { ...back, 'content-length': x.answer.length });
          res.end(x.answer);
        });
        answer.on('error', () => { x.cut = true; x.status = answer.statusCode; finish(); res.destroy(); });
        answer.on('aborted', () => res.destroy());
      });
      out.on('error', () => { x.cut = true; finish(); res.destroy(); });
      out.end(x.body);
    });
  });
  server.keepAliveTimeout = 60000;
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done({
    port: server.address().port,
    close: () => new Promise((ended) => { agent.destroy(); server.close(ended); server.closeAllConnections(); }),
  })));
}
