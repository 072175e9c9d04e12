import { spawn } from 'node:child_process';
import { DOOR_FLAGS, WORKER_FLAGS } from '#platform';
import { entryOf } from './doors.js';
import type { Environment } from './installation.js';
import type { Kept } from './keeper.js';
import type { RotatingLog } from './rotating-log.js';

const STOP_TIMEOUT_MS = 15_000;

/** Starts one of our own processes from its built entry file. Its output goes to `log`. */
export async function startApp(entry: string, environment: Environment, log: RotatingLog): Promise<Kept> {
  const guard = new URL('./end-with-parent.js', import.meta.url).href;
  const flags = entry === entryOf('worker') ? WORKER_FLAGS : DOOR_FLAGS;
  const child = spawn(process.execPath, [...flags, '--enable-source-maps', '--import', guard, entry], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  };
  return { pid: child.pid!, exited, stop };
}
