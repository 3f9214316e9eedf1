// run.mjs - signed calls, 64 in flight, against one local responder: the connector's engine and undici in turns.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BENCH_WORK, median, paired, ROUNDS_USUAL, setting, start, stopAll, times, verdict } from '../bench.mjs';

const [ROUNDS, SECONDS, IN_FLIGHT] = [setting('BENCH_ROUNDS', ROUNDS_USUAL), setting('BENCH_SECONDS', 4), 64];

try {
  const responder = await start(join(BENCH_WORK, 'responder'), [], {}, '\n');
  const port = responder.said.trim();
  const WHO = { connector: [join(BENCH_WORK, 'calls'), []], undici: [process.execPath, [join(BENCH_WORK, 'outbound/undici.mjs')]] };
  const results = { connector: [], undici: [] };
  for (let i = 0; i < ROUNDS; i++) {
    for (const [who, [program, args]] of Object.entries(WHO)) {
      const out = execFileSync(program, [...args, port, IN_FLIGHT, SECONDS].map(String), { encoding: 'utf8' });
      const [, rate, p50, p99, cpu, bad] = out.trim().split(' ').map(Number);
      if (bad > 0) throw new Error(`${who}: ${bad} calls failed`);
      results[who].push({ rate, p50, p99, cpu });
    }
  }
  console.log(`outbound signed calls, ${IN_FLIGHT} in flight, medians of ${ROUNDS} rounds of ${SECONDS} s in turns`);
  console.log('who           calls/s   p50 us   p99 us  CPU us/call');
  for (const [who, list] of Object.entries(results)) {
    const m = Object.fromEntries(['rate', 'p50', 'p99', 'cpu'].map((k) => [k, median(list.map((r) => r[k]))]));
    console.log(`${who.padEnd(12)} ${m.rate.toFixed(0).padStart(8)} ${String(m.p50).padStart(8)} ${String(m.p99).padStart(8)} ${m.cpu.toFixed(1).padStart(12)}`);
  }
  const ratio = paired(...['connector', 'undici'].map((who) => results[who].map((r) => r.rate)));
  verdict('outbound calls/s, of undici', times(ratio), '>= 2x', ratio >= 2);
} finally {
  await stopAll();
}
