// schema.mjs - the letter of the contracts for the strict platforms: finds the operation of a request and judges
// its query, headers and body. Answers are not judged here; the scenario's platforms build them.
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

const load = (name) => JSON.parse(readFileSync(new URL(`../contract/${name}`, import.meta.url), 'utf8'));

export class Contract {
  constructor(file) {
    this.doc = load(file);
    this.ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    this.ops = [];
    for (const [path, methods] of Object.entries(this.doc.paths)) {
      for (const [method, op] of Object.entries(methods)) {
        if (!op.operationId || op['x-direction'] === 'inbound') continue;
        const names = [...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]);
        this.ops.push({ id: op.operationId, method: method.toUpperCase(), path, names, op,
          pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '([^/]+)')}$`),
          parameters: (op.parameters ?? []).map((p) => this.deref(p)) });
      }
    }
    this.ops.sort((a, b) => a.names.length - b.names.length);
    this.bodies = new Map();
  }

  deref(node) {
    let n = node;
    while (n?.$ref) n = n.$ref.slice(2).split('/').reduce((a, k) => a[k.replaceAll('~1', '/').replaceAll('~0', '~')], this.doc);
    return n;
  }

  // A request may hold what the contract names and nothing else, at every depth.
  close(schema, depth = 0) {
    const s = this.deref(schema);
    if (s === null || typeof s !== 'object' || depth > 24) return s;
    const out = { ...s };
    if (s.properties) {
      out.properties = Object.fromEntries(Object.entries(s.properties).map(([k, v]) => [k, this.close(v, depth + 1)]));
      if (s.additionalProperties === undefined) out.additionalProperties = false;
    }
    if (s.items) out.items = this.close(s.items, depth + 1);
    for (const k of ['oneOf', 'anyOf']) if (s[k]) out[k] = s[k].map((x) => this.close(x, depth + 1));
    return out;
  }

  find(method, path) {
    for (const o of this.ops) {
      const m = o.method === method && o.pattern.exec(path);
      if (m) return { ...o, args: Object.fromEntries(o.names.map((n, i) => [n, decodeURIComponent(m[i + 1])])) };
    }
    return null;
  }

  // Everything wrong with the request's query and JSON body, in words.
  judge(found, query, body) {
    const bad = [];
    const seen = new Map();
    for (const [k, v] of query) {
      if (seen.has(k)) bad.push(`query ${k} twice`);
      seen.set(k, v);
      const p = found.parameters.find((x) => x.in === 'query' && x.name === k);
      if (!p) bad.push(`query ${k} is unknown`);
      else if (v === '') bad.push(`query ${k} is empty`);
      else bad.push(...this.text(p.schema ?? {}, v, `query ${k}`));
    }
    for (const p of found.parameters) if (p.in === 'query' && p.required && !seen.has(p.name)) bad.push(`query ${p.name} is missing`);
    for (const p of found.parameters) if (p.in === 'path') bad.push(...this.text(p.schema ?? {}, found.args[p.name], `path ${p.name}`));
    const schema = this.deref(found.op.requestBody)?.content?.['application/json']?.schema;
    if (!schema) {
      if (body.length && !this.deref(found.op.requestBody)) bad.push('a body where none belongs');
      return { bad };
    }
    if (!body.length) return { bad: [...bad, 'no body'] };
    let json;
    try { json = JSON.parse(body.toString('utf8')); } catch (e) { return { bad: [...bad, `body is no JSON: ${e.message}`] }; }
    if (!this.bodies.has(found.id)) this.bodies.set(found.id, this.ajv.compile(this.close(schema)));
    const check = this.bodies.get(found.id);
    if (!check(json)) bad.push(...check.errors.slice(0, 6).map((e) => `body${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`));
    return { bad, json };
  }

  text(schema, value, what) {
    const types = [this.deref(schema).type].flat();
    const s = this.deref(schema);
    if (types.includes('integer') && !types.includes('string')) {
      if (!/^-?\d+$/.test(value)) return [`${what} is no integer: ${value}`];
      if (s.minimum !== undefined && Number(value) < s.minimum) return [`${what} is under ${s.minimum}`];
      if (s.maximum !== undefined && Number(value) > s.maximum) return [`${what} is over ${s.maximum}`];
    }
    if (s.enum && !s.enum.includes(value)) return [`${what} is none of ${s.enum}`];
    if (s.const !== undefined && s.const !== value) return [`${what} is not ${s.const}`];
    if (s.pattern && !new RegExp(s.pattern).test(value)) return [`${what} does not look like ${s.pattern}`];
    return [];
  }
}
