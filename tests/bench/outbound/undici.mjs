// The same signed calls through undici: node undici.mjs PORT IN_FLIGHT SECONDS
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';

const [port, inFlight, seconds] = process.argv.slice(2).map(Number);
const dispatcher = new Agent({ connections: inFlight, pipelining: 1 });
const secret = 'peersecret';
const path = '/product/202309/products/1729592969712207008/inventory/update';
const cipher = 'GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3';
let sequence = 0, done = 0, bad = 0;
const samples = [];

function build() {
  const n = ++sequence, timestamp = 1700000000 + Math.floor(n / 1000);
  const sku = (id, quantity) => ({ id, inventory: [{ warehouse_id: '7068517275539719942', quantity }] });
  const body = JSON.stringify({ skus: [sku(String(1729592969712207012n + BigInt(n)), n % 1000),
    sku('1729592969712207013', 12), sku('1729592969712207014', 7)] });
  const text = `${secret}${path}app_key6abcdefshop_cipher${cipher}timestamp${timestamp}${body}${secret}`;
  const sign = createHmac('sha256', secret).update(text).digest('hex');
  return [`http://127.0.0.1:${port}${path}?app_key=6abcdef&shop_cipher=${cipher}&timestamp=${timestamp}&sign=${sign}`,
    { method: 'POST', dispatcher, body, headers: { 'content-type': 'application/json',
      'x-tts-access-token': 'TTP_abcdefghijklmnopqrstuvwxyz0123456789' } }];
}

async function work(end) {
  while (performance.now() < end) {
    const [url, options] = build(), from = performance.now();
    const reply = await request(url, options);
    if (reply.statusCode !== 200 || !(await reply.body.text())) bad++;
    samples.push(performance.now() - from);
    done++;
  }
}

const from = performance.now();
await Promise.all(Array.from({ length: inFlight }, () => work(from + seconds * 1000)));
const took = (performance.now() - from) / 1000, cpu = process.cpuUsage();
samples.sort((a, b) => a - b);
const us = (share) => (samples[Math.floor(done * share)] * 1000).toFixed(0);
console.log(`undici ${(done / took).toFixed(0)} ${us(0.5)} ${us(0.99)} ${((cpu.user + cpu.system) / done).toFixed(1)} ${bad}`);
process.exit(bad > 0 ? 1 : 0);
