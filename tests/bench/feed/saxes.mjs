// saxes.mjs - the same work with node's saxes: finds items, hashes their names and texts. node saxes.mjs FILE
import crypto from 'node:crypto';
import fs from 'node:fs';
import { SaxesParser } from 'saxes';

const start = performance.now();
const parser = new SaxesParser({ xmlns: false });
let depth = 0;
let parts = [];
let items = 0;
let sum = 0;
const text = (t) => { if (depth > 1) parts.push(t); };

parser.on('opentag', (tag) => {
  if (depth > 0) {
    depth++;
    parts.push(tag.name);
  } else if (tag.name === 'item') {
    depth = 1;
  }
});
parser.on('closetag', () => {
  if (depth > 0 && --depth === 0) {
    sum ^= crypto.createHash('sha256').update(parts.join('\x1f')).digest().readInt32LE(0);
    items++;
    parts = [];
  }
});
parser.on('text', text);
parser.on('cdata', text);
parser.on('error', (e) => { throw e; });
const stream = fs.createReadStream(process.argv[2], { encoding: 'utf8', highWaterMark: 1 << 18 });
stream.on('data', (piece) => parser.write(piece));
stream.on('end', () => {
  parser.close();
  const seconds = ((performance.now() - start) / 1000).toFixed(3);
  console.log(`${seconds} s ${items} items sum ${sum >>> 0} rss ${(process.resourceUsage().maxRSS / 1024).toFixed(1)} MB`);
});
