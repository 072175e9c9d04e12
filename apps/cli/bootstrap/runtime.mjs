import { spawn, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';

/**
 * The Node of package-lock.json: a release that is looked after, checked by its digest, the same for everybody. The machine's own Node need
 * only install it, and is used where there is none for this system (macOS, musl).
 */
export function runtimeOf(root) {
  const installed = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (isThis(installed)) return process.execPath;
  return spawnSync(installed, ['--version']).status === 0 ? installed : process.execPath;
}

function isThis(program) {
  try {
    return realpathSync(program) === realpathSync(process.execPath);
  } catch {
    return false;
  }
}

/** Runs a program in our place: same terminal, same signals. Answers its exit code. */
export function runInOurPlace(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of us: the child decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code ?? 1)));
}
