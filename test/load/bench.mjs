// npm run bench <name>: measures, prints a table, writes test/load/results/<name>.json.
import { spawnSync } from 'node:child_process';
import { runInOurPlace, runtimeOf } from '../../apps/cli/bootstrap/runtime.mjs';

const BENCHES = {
  decisions: './decisions.mjs',
  exchange: './exchange.mjs',
  batches: './batches.mjs',
  consent: './consent.mjs',
  fairness: './fairness.mjs',
  isolation: './isolation.mjs',
  beside: './beside.mjs',
};

const [name = '', ...rest] = process.argv.slice(2);
if (!(name in BENCHES)) {
  console.error(`usage: npm run bench <${Object.keys(BENCHES).join('|')}> [-- --seconds 5 --rounds 3]`);
  process.exit(2);
}
const built = spawnSync(process.execPath, ['apps/cli/bootstrap.mjs', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
if (built.status !== 0) process.exit(built.status ?? 1);
const runtime = runtimeOf('.');
if (runtime === process.execPath) {
  const { run } = await import(BENCHES[name]);
  await run(rest);
} else {
  process.exitCode = await runInOurPlace(runtime, process.argv.slice(1));
}
