// npm run chaos -- --seed 7 --minutes 30: the exactness tests of test/e2e/chaos.e2e-spec.ts, with one seed after the other until the time is over.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { runtimeOf } from '../../apps/cli/bootstrap/runtime.mjs';

const USAGE = 'usage: npm run chaos -- [--seed <whole number>] [--minutes <number>]';

const { seed, minutes } = read();
step('apps/cli/bootstrap.mjs', 'build');
console.log(`chaos: seeds from ${seed} on, about ${minutes} minutes; repeat one with "npm run chaos -- --seed <it> --minutes 0"`);
step('node_modules/vitest/vitest.mjs', 'run', '--project', 'real', 'test/e2e/chaos.e2e-spec.ts');
console.log('chaos: no breach');

function read() {
  const options = { seed: { type: 'string', default: String(Math.floor(Date.now() / 1000)) }, minutes: { type: 'string', default: '10' } };
  try {
    const { values } = parseArgs({ options });
    if (/^\d{1,10}$/.test(values.seed) && /^\d{1,4}(\.\d+)?$/.test(values.minutes)) return values;
  } catch (error) {
    console.error(error.message);
  }
  console.error(USAGE);
  return process.exit(2);
}

function step(...args) {
  const env = { ...process.env, CHAOS_SEED: seed, CHAOS_MINUTES: minutes };
  const { status } = spawnSync(runtimeOf('.'), args, { env, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`chaos: FAILED (seeds from ${seed} on)`);
  process.exit(1);
}
