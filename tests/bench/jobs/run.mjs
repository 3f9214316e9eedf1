// run.mjs - jobs that do nothing through the connector's engine and through graphile-worker, each on a fresh database.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BENCH_WORK, database, median, paired, ROUNDS_USUAL, setting, sql, times, verdict } from '../bench.mjs';

const ROUNDS = setting('BENCH_ROUNDS', ROUNDS_USUAL);
const [THREADS, SHOPS] = [16, 4];
const graphile = (count, mode) => [process.execPath, [join(BENCH_WORK, 'jobs/graphile.mjs'), count, 24, mode]];
const WHO = {
  connector: ['connector', [join(BENCH_WORK, 'jobs_connector'), [30000, SHOPS, THREADS]], 30000],
  batched: ['graphile-worker batched', graphile(20000, 'batched'), 20000],
  default: ['graphile-worker', graphile(4000, 'default'), 4000],
};

const results = Object.fromEntries(Object.keys(WHO).map((who) => [who, []]));
for (let i = 0; i < ROUNDS; i++) {
  for (const [who, [, [program, args], count]] of Object.entries(WHO)) {
    const url = database('bench_jobs');
    const out = execFileSync(program, args.map(String), { env: { PATH: process.env.PATH, DATABASE_URL: url }, encoding: 'utf8' });
    const [, rate, cpu, ran, left] = out.trim().split(' ').map(Number);
    if (ran !== count || left !== 0) throw new Error(`${who} ran ${ran} of ${count} jobs, ${left} are left`);
    results[who].push({ rate, cpu });
  }
}
console.log(`no-op jobs, medians of ${ROUNDS} rounds in turns (connector: ${THREADS} threads, ${SHOPS} shops; graphile-worker: 24 at once)`);
console.log('who                        jobs/s  CPU us/job (without database)');
for (const [who, list] of Object.entries(results)) {
  console.log(`${WHO[who][0].padEnd(24)} ${median(list.map((r) => r.rate)).toFixed(0).padStart(8)} ${median(list.map((r) => r.cpu)).toFixed(1).padStart(11)}`);
}
const rates = (who) => results[who].map((r) => r.rate);
const [batched, usual] = ['batched', 'default'].map((who) => paired(rates('connector'), rates(who)));
verdict('no-op jobs/s, of graphile-worker batched', times(batched), '>= 0.5x', batched >= 0.5);
verdict('no-op jobs/s, of graphile-worker as it comes', times(usual), '>= 10x', usual >= 10);
sql(process.env.BENCH_DATABASE_URL, 'DROP DATABASE bench_jobs WITH (FORCE)');
