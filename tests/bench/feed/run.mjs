// run.mjs - reading a feed (the connector, xmllint --sax, node saxes) and finding what changed in it, in turns.
import { execFileSync } from 'node:child_process';
import { existsSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_WORK, database, median, paired, ROUNDS_USUAL, setting, sql, times, verdict } from '../bench.mjs';

const ROUNDS = setting('BENCH_ROUNDS', ROUNDS_USUAL);
const ITEMS = setting('BENCH_ITEMS', 200000);
const program = (name) => join(BENCH_WORK, name);

// Two generations of one feed: 1 % of the items changed, 1 in 2000 replaced.
const [older, newer] = [0, 1].map((generation) => {
  const file = program(`feed-${ITEMS}-${generation}.xml`);
  if (!existsSync(file)) execFileSync(program('gen'), [ITEMS, generation].map(String), { stdio: ['ignore', openSync(file, 'w'), 'inherit'] });
  return file;
});
const bytes = statSync(newer).size;

const url = database('bench_feed');
const env = { ...process.env, DATABASE_URL: url };
const said = (command, args) => {
  const out = execFileSync(command, args, { env, encoding: 'utf8' });
  return { seconds: Number(out.split(' ')[0]), rss: Number(/rss ([\d.]+) MB/.exec(out)[1]) };
};
const timed = (command, args) => {
  const from = performance.now();
  execFileSync(command, args, { stdio: 'ignore' });
  return { seconds: (performance.now() - from) / 1000 };
};
const WHO = {
  xmllint: ['xmllint --sax', () => timed('xmllint', ['--sax', '--noout', newer])],
  read: ['connector: read + hash', () => said(program('read'), [newer])],
  saxes: ['node saxes + sha256', () => said(process.execPath, [program('feed/saxes.mjs'), newer])],
  detect: ['connector: find changes', () => said(program('diff'), ['detect', newer])],
};

said(program('diff'), ['prime', older]);
const results = Object.fromEntries(Object.keys(WHO).map((who) => [who, []]));
for (let i = 0; i < ROUNDS; i++)
  for (const who of Object.keys(WHO)) results[who].push(WHO[who][1]());

console.log(`feed of ${ITEMS} items, ${(bytes / 1e6).toFixed(0)} MB, 1 % changed, medians of ${ROUNDS} rounds in turns`);
console.log('who                        seconds      MB/s   RSS MB');
let rss = 0;
for (const [who, list] of Object.entries(results)) {
  const seconds = median(list.map((r) => r.seconds));
  rss = Math.max(...list.map((r) => r.rss ?? 0));
  console.log(`${WHO[who][0].padEnd(25)} ${seconds.toFixed(3).padStart(8)} ${(bytes / seconds / 1e6).toFixed(1).padStart(9)} ${(rss ? rss.toFixed(1) : '-').padStart(8)}`);
}
const of = (a, b) => paired(...[a, b].map((who) => results[who].map((r) => r.seconds)));
const [read, saxes, detect] = [of('xmllint', 'read'), of('saxes', 'read'), of('detect', 'read')];
verdict('feed read + hash: speed, of xmllint --sax', times(read), '>= 0.7x', read >= 0.7);
verdict('feed read + hash: speed, of node saxes', times(saxes), '>= 4x', saxes >= 4);
verdict(`feed changes, ${ITEMS} items: time, of the parse alone`, times(detect), '<= 2x', detect <= 2);
verdict(`feed changes, ${ITEMS} items: memory (RSS)`, `${rss.toFixed(1)} MB`, '<= 64 MB', rss <= 64);
sql(process.env.BENCH_DATABASE_URL, 'DROP DATABASE bench_feed WITH (FORCE)');
if (ITEMS > 200000) [older, newer].forEach((file) => rmSync(file));
