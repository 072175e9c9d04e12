// The way in: plain Node, nothing installed yet. It installs and builds what is missing, then hands over to the built command line.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

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
  const { build, generate } = await import('./bootstrap/build.mjs');
  if (command === 'build') await build(root);
  else if (command === 'generate') await generate(root);
  else {
    if (!(STOPPERS.includes(command) && existsSync(path.join(root, MAIN)))) await build(root);
    process.exitCode = await run([command, ...rest]);
  }
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Error(
    `Tallystick needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org/en/download`,
  );
}

/** Runs the built command line in our place: same terminal, same signals, its exit code. */
function run(args) {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(KEEPERS.includes(command) ? {} : runningEnvironment()),
      TALLYSTICK_HOME: home,
      TALLYSTICK_CWD: process.cwd(),
    },
  });
  // A terminal sends Ctrl-C to both of us: the child decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code ?? 1)));
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
