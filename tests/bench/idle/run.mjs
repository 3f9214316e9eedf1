// run.mjs - the service at rest on a migrated database: seconds until it is ready, memory, CPU of 20 seconds.
import { readFileSync } from 'node:fs';
import { connectorSettings, cpu, database, freePort, median, setting, sql, start, stop, stopAll, verdict } from '../bench.mjs';

const REST_S = setting('BENCH_REST_SECONDS', 20);
const url = database('bench_idle');
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// From the start of the process until /readyz says yes.
async function begin() {
  const [port, ops] = [await freePort(), await freePort()];
  const from = performance.now();
  const child = await start(process.env.BIN, ['serve'], connectorSettings(url, port, ops), 'ready: ');
  while (!(await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => ({ ok: false }))).ok) await wait(2);
  return { child, port, ops, seconds: (performance.now() - from) / 1000 };
}

try {
  await stop((await begin()).child); // migrates
  sql(url, `SET connector.tenant = '*'; INSERT INTO clients (client_id, name) VALUES ('loja-exemplo', 'Loja')`);
  const ready = [];
  let service = null;
  for (let i = 0; i < 3; i++) {
    if (service) await stop(service.child);
    service = await begin();
    ready.push(service.seconds);
  }
  await wait(2000);
  const before = cpu(service.child.pid);
  await wait(REST_S * 1000);
  const after = cpu(service.child.pid);
  const [rss, percent] = [memory(service.child.pid), (after.service - before.service) / REST_S * 100];
  const database_percent = (after.database - before.database) / REST_S * 100;
  console.log(`idle service, ${REST_S} s: RSS ${rss.toFixed(1)} MB, CPU ${percent.toFixed(2)} % (database ${database_percent.toFixed(2)} %), ready after ${median(ready).toFixed(3)} s`);
  verdict('idle service: memory (RSS)', `${rss.toFixed(1)} MB`, '<= 32 MB', rss <= 32);
  verdict('idle service: CPU', `${percent.toFixed(2)} %`, '< 0.5 %', percent < 0.5);
  verdict('idle service: ready after, on a migrated database', `${median(ready).toFixed(2)} s`, '<= 1 s', median(ready) <= 1);
} finally {
  await stopAll();
}
