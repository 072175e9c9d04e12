// The way in: plain Node, nothing installed yet. It installs what is missing, goes on in the Node that came with it,
// builds, and hands over to the built command line.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInOurPlace, runtimeOf } from './bootstrap/runtime.mjs';

const NODE_MIN = [20, 19];

/** Commands that look after an installation themselves; all others act on the one that is running. */
const KEEPERS = ['up', 'down', 'status', 'reset', 'dev', 'help', '--help', '-h'];

/** These must work also while the sources do not compile. */
const STOPPERS = ['down', 'status', 'reset'];
const MAIN = 'dist/apps/cli/src/main.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const home = path.resolve(process.env.TALLYSTICK_HOME || path.join(root, '.tallystick'));
const [command = 'help', ...rest] = process.argv.slice(2);

try {
  refuseOldNode();
  process.exitCode = await carryOut();
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

/** Answers the exit code. */
async function carryOut() {
  const { build, generate, installPackages } = await import('./bootstrap/build.mjs');
  const stops = STOPPERS.includes(command) && existsSync(path.join(root, MAIN));
  if (!stops) await installPackages(root);
  const runtime = runtimeOf(root);
  if (runtime !== process.execPath) return await runInOurPlace(runtime, process.argv.slice(1));
  if (command === 'generate') await generate(root);
  else if (!stops) await build(root);
  return ['build', 'generate'].includes(command) ? 0 : await runMain();
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Error(
    `Tallystick needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org/en/download`,
  );
}

/** Runs the built command line in our place. */
function runMain() {
  return runInOurPlace(process.execPath, ['--enable-source-maps', MAIN, command, ...rest], {
    cwd: root,
    env: {
      ...process.env,
      ...(KEEPERS.includes(command) ? {} : runningEnvironment()),
      TALLYSTICK_HOME: home,
      TALLYSTICK_CWD: process.cwd(),
    },
  });
}

/** What `up` wrote for this installation; nothing where there is none. */
function runningEnvironment() {
  try {
    return JSON.parse(readFileSync(path.join(home, 'env.json'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw new Error(`${path.join(home, 'env.json')} cannot be read (${error.message}): use the account that ran "npm run up"`);
  }
}
