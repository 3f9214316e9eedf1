// orders_common.mjs - what both strict order simulators stand on: a raw HTTP listener that can answer badly on
// purpose, request schemas taken from the contracts, seeded chance, and the list of what the connector did wrong.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import Ajv2020 from 'ajv/dist/2020.js';

const contract = (name) => JSON.parse(readFileSync(new URL(`../contract/${name}`, import.meta.url), 'utf8'));
const DOCS = { tiktok: contract('tiktok-openapi.json'), vtex: contract('vtex-openapi.json') };
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const validators = new Map();

// A copy of the schema with references put in and with every object that lists its fields closed.
function strictSchema(doc, node) {
  if (Array.isArray(node)) return node.map((n) => strictSchema(doc, n));
  if (node === null || typeof node !== 'object') return node;
  if (node.$ref) {
    let at = doc;
    for (const part of node.$ref.slice(2).split('/')) at = at[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    return strictSchema(doc, at);
  }
  const out = {};
  for (const [k, v] of Object.entries(node)) {
    if (k === 'properties') out[k] = Object.fromEntries(Object.entries(v).map(([f, s]) => [f, strictSchema(doc, s)]));
    else if (['required', 'enum', 'const', 'example', 'examples', 'default'].includes(k)) out[k] = v;
    else out[k] = strictSchema(doc, v);
  }
  if (out.properties && out.additionalProperties === undefined && !out.allOf && !out.anyOf && !out.oneOf) out.additionalProperties = false;
  return out;
}

// Differences between a request body and its schema, as text; empty when it fits.
export function bodyProblems(platform, method, path, json) {
  const key = `${platform} ${method} ${path}`;
  if (!validators.has(key)) {
    const doc = DOCS[platform];
    const schema = doc.paths[path][method].requestBody.content['application/json'].schema;
    validators.set(key, ajv.compile(strictSchema(doc, schema)));
  }
  const check = validators.get(key);
  return check(json) ? [] : check.errors.slice(0, 8).map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
}

// Chance that can be repeated: SEED is printed by the scenario.
export function chance(seed) {
  let s = seed >>> 0;
  const next = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const r = { next, below: (n) => Math.floor(next() * n), is: (p) => next() < p, pick: (list) => list[Math.floor(next() * list.length)],
    digits: (n) => Array.from({ length: n }, (_, i) => (i === 0 ? 1 + r.below(9) : r.below(10))).join('') };
  return r;
}

export class Verdict {
  constructor() { this.list = []; }
  add(text) { this.list.push(text); }
}

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// One listener. handle(request) answers { status, headers, body, how }: how is undefined, 'cut' (connection ends
// without a byte), 'half' (half of the body), 'hang' (nothing for `ms`, then the end).
export async function listen(handle) {
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('error', () => {});
    res.on('error', () => {});
    req.on('end', async () => {
      const body = Buffer.concat(chunks);
      const mark = req.url.indexOf('?');
      const path = mark < 0 ? req.url : req.url.slice(0, mark);
      const query = [];
      for (const pair of mark < 0 ? [] : req.url.slice(mark + 1).split('&')) {
        const eq = pair.indexOf('=');
        const part = (t) => decodeURIComponent(t.replaceAll('+', ' '));
        query.push(eq < 0 ? [part(pair), ''] : [part(pair.slice(0, eq)), part(pair.slice(eq + 1))]);
      }
      let json;
      try { json = body.length ? JSON.parse(body.toString('utf8')) : undefined; } catch { json = undefined; }
      let answer;
      try {
        answer = await handle({ method: req.method, url: req.url, path, query, headers: req.headers, raw: req.rawHeaders, body, json, at: Date.now() });
      } catch (e) {
        console.log(`simulator: ${e.stack}`);
        answer = { status: 500, body: 'simulator failed' };
      }
      send(req, res, answer);
    });
  });
  server.keepAliveTimeout = 120000;
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  return { port: server.address().port, url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((r) => { server.close(r); server.closeAllConnections(); }) };
}

function send(req, res, a) {
  const text = a.body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(a.body) ? a.body : Buffer.from(typeof a.body === 'string' ? a.body : JSON.stringify(a.body));
  const headers = { 'content-type': typeof a.body === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8', 'content-length': text.length, ...a.headers };
  if (a.how === 'cut') { req.socket.destroy(); return; }
  if (a.how === 'hang') { setTimeout(() => req.socket.destroy(), a.ms ?? 60000).unref(); return; }
  if (a.how === 'half') {
    res.writeHead(a.status ?? 200, { ...headers, 'content-length': text.length + 10 });
    res.write(text.subarray(0, Math.floor(text.length / 2)), () => req.socket.destroy());
    return;
  }
  res.writeHead(a.status ?? 200, headers);
  res.end(text);
}
