// test_run_modes.mjs - what `make run` starts, told from the settings: the real platforms or the demo, and on which database.
// The script runs as it is; the program, the private PostgreSQL and its client are stand-ins that say what they were given.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORK, end, ok, same, test } from './lib.mjs';

const PRIVATE = 'postgresql://tiktok_shop@127.0.0.1:1/tiktok_shop';

// Runs scripts/run.sh --once in a folder of its own; gives the calls of the program: {args, environment}, and what was printed.
function walk(dotenv, env = {}) {
  const dir = mkdtempSync(join(WORK, 'run-'));
  const executable = (name, text) => { writeFileSync(join(dir, name), text); chmodSync(join(dir, name), 0o755); };
  for (const name of ['scripts', 'build', 'bin', 'tmp']) mkdirSync(join(dir, name));
  copyFileSync('scripts/run.sh', join(dir, 'scripts/run.sh'));
  chmodSync(join(dir, 'scripts/run.sh'), 0o755);
  executable('scripts/pg.sh', '#!/bin/sh\n[ "$1" != start ] || echo postgresql://connector@127.0.0.1:1/postgres\n');
  executable('bin/psql', '#!/bin/sh\ncase "$*" in *count*) echo 0 ;; esac\n');
  executable('bin/curl', '#!/bin/sh\nexit 7\n');
  executable('build/tiktok-shop-connector', `#!/bin/sh\nenv > ${dir}/$1.env\n`);
  if (dotenv !== null) writeFileSync(join(dir, '.env'), dotenv);
  const r = spawnSync(join(dir, 'scripts/run.sh'), ['--once'], { env: { PATH: `${dir}/bin:${process.env.PATH}`, TMPDIR: join(dir, 'tmp'), XDG_STATE_HOME: join(dir, 'state'), ...env }, encoding: 'utf8', timeout: 60000 });
  const read = (name) => { try { return Object.fromEntries(readFileSync(join(dir, `${name}.env`), 'utf8').split('\n').filter((l) => l.includes('=')).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)])); } catch { return null; } };
  return { status: r.status, out: r.stdout + r.stderr, serve: read('serve'), sandbox: read('sandbox') };
}

await test('an app key starts the real platforms, given as text or as a file', async () => {
  for (const key of ['TIKTOK_APP_KEY=real', 'TIKTOK_APP_KEY_FILE=/run/secrets/app-key', 'TIKTOK_APP_KEY=\nTIKTOK_APP_KEY_FILE=/run/secrets/app-key']) {
    const r = walk(`DATABASE_URL=postgresql://shop\nENCRYPTION_KEYS=k1:x\n${key}\n`);
    same(r.status, 0, `${key}: ${r.out}`);
    same(r.sandbox, null, `${key}: no sandbox`);
    same(r.serve.DATABASE_URL, 'postgresql://shop', key);
    same(r.serve.ALLOW_PRIVATE_ADDRESSES, undefined, key);
  }
  const file = walk('DATABASE_URL=\nDATABASE_URL_FILE=/run/secrets/db\nENCRYPTION_KEYS=k1:x\nTIKTOK_APP_KEY=real\n');
  same([file.serve.DATABASE_URL, file.serve.DATABASE_URL_FILE], ['', '/run/secrets/db'], 'a database named by a file');
});

await test('the demo leaves the database and the secrets of .env alone', async () => {
  const r = walk('DATABASE_URL=postgresql://production\nENCRYPTION_KEYS_FILE=/run/secrets/keys\nAPI_TOKENS_FILE=/run/secrets/tokens\nTIKTOK_APP_KEY=\nTIKTOK_APP_SECRET_FILE=/x\nWORKER_THREADS=3\n');
  ok(r.sandbox !== null, `the sandbox runs: ${r.out}`);
  same(r.serve.DATABASE_URL, PRIVATE, 'a database of its own');
  for (const name of ['ENCRYPTION_KEYS_FILE', 'API_TOKENS_FILE', 'TIKTOK_APP_SECRET_FILE', 'DATABASE_URL_FILE']) same(r.serve[name], undefined, name);
  same(r.serve.WORKER_THREADS, '3', 'other settings count');
  ok(/DATABASE_URL of .env is left alone/.test(r.out), 'and it says so');
  same(walk(null).serve.DATABASE_URL, PRIVATE, 'without .env');
});

await test('a database named in the environment counts, in both cases', async () => {
  const env = { DATABASE_URL: 'postgresql://named' };
  same(walk('DATABASE_URL=postgresql://production\n', env).serve.DATABASE_URL, 'postgresql://named', 'demo');
  same(walk('DATABASE_URL=\nTIKTOK_APP_KEY=real\nENCRYPTION_KEYS=k1:x\n', env).serve.DATABASE_URL, 'postgresql://named', 'real');
});

end();
