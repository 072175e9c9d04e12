import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network request/;
const NO_RIGHTS = /EACCES|EPERM|EROFS/;

/** Installs the packages of package-lock.json when they are missing or older than it. */
export function ensurePackages(root) {
  const lock = path.join(root, 'package-lock.json');
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const stamp = path.join(root, 'node_modules', '.tallystick-lock');
  if (existsSync(stamp) ? readFileSync(stamp, 'utf8') === digest : installedByHand(root, lock)) return;
  install(root);
  writeFileSync(stamp, digest);
}

/** Somebody ran npm themselves, after the lock file last changed. */
function installedByHand(root, lock) {
  const hidden = statSync(path.join(root, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  return hidden !== undefined && hidden.mtimeMs >= statSync(lock).mtimeMs;
}

function install(root) {
  process.stderr.write('  installing packages (a minute or two the first time) …');
  const started = Date.now();
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const done = npm(args, root);
  if (done.status !== 0) {
    process.stderr.write('\n');
    throw new Error(explain(done));
  }
  process.stderr.write(` ${Math.round((Date.now() - started) / 1000)} s\n`);
}

/** The npm that runs us, or the one on PATH. */
function npm(args, root) {
  const script = process.env.npm_execpath;
  const options = { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' };
  return script?.endsWith('.js') && existsSync(script)
    ? spawnSync(process.execPath, [script, ...args], { ...options, shell: false })
    : spawnSync('npm', args, options);
}

function explain(done) {
  if (done.error?.code === 'ENOENT') return 'npm is not installed. On Debian and Ubuntu: apt-get install npm';
  const words = `${done.stdout ?? ''}${done.stderr ?? ''}`;
  // npm says the reason first and then its whole manual.
  const lines = words.split('\n').filter((line) => line.startsWith('npm error') && line.trim() !== 'npm error');
  const reasons = lines.slice(0, 12).join('\n');
  if (OFFLINE.test(words)) {
    return `npm cannot reach its registry. Check the network, a proxy (npm config get proxy) or the registry (npm config get registry).\n${reasons}`;
  }
  if (NO_RIGHTS.test(words)) return `npm may not write here. Run this as the owner of the folder.\n${reasons}`;
  return `"npm ci" failed:\n${reasons}`;
}
