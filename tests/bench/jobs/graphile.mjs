// graphile.mjs - the same with graphile-worker: graphile.mjs JOBS CONCURRENCY default|batched
// default: as it comes. batched: its local queue and batched completion, the fastest that it documents.
import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';

const [jobs, concurrentJobs, mode] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const logger = new Logger(() => () => {});
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: concurrentJobs + 2 });
pool.on('error', () => {});
pool.on('connect', (client) => client.on('error', () => {}));
await runMigrations({ pgPool: pool, logger });
await pool.query(`SELECT graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(null::graphile_worker.job_spec,
  json_build_object('identifier', 'noop', 'payload', json_build_object('id', n))) FROM generate_series(1, $1::int) n))`, [jobs]);
await pool.query('VACUUM ANALYZE graphile_worker._private_jobs');

let done = 0;
const batched = { localQueue: { size: 500, ttl: 300000, refetchDelay: { durationMs: 10, threshold: 0 } }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const preset = { worker: { concurrentJobs, pollInterval: 2000, ...(mode === 'batched' ? batched : {}) } };
const left = async () => (await pool.query('SELECT count(*)::int AS n FROM graphile_worker._private_jobs')).rows[0].n;
const nap = () => new Promise((wake) => { setTimeout(wake, 5); });
const cpu = process.cpuUsage();
const from = performance.now();
const runner = await run({ pgPool: pool, taskList: { noop: async () => { done++; } }, preset, logger, noHandleSignals: true });
while (done < jobs || await left() > 0) await nap();
const seconds = (performance.now() - from) / 1000;
const used = process.cpuUsage(cpu);
console.log(`${mode} ${(jobs / seconds).toFixed(0)} ${((used.user + used.system) / jobs).toFixed(1)} ${done} ${await left()}`);
await runner.stop();
await pool.end();
