import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Config } from './config.js';

/**
 * The places where a kill test may end a process: around every write step. Each process passes them in its own order;
 * `crash/<app>` in TALLYSTICK_HOME says which one, and the how-manieth time: `commit.before 3`.
 */
export type CrashPoint = 'statement.after' | 'commit.before' | 'commit.after' | 'file.after';

/** Called at each point; does nothing outside kill tests. */
export type PassPoint = (point: CrashPoint) => void;

const passOn: PassPoint = () => undefined;

/** Arms at most one crash for this process, once: the file is gone when the process comes back. Only with TALLYSTICK_ENV=test. */
export function armCrash(config: Config, app: string): PassPoint {
  const order = path.join(config.TALLYSTICK_HOME, 'crash', app);
  if (config.TALLYSTICK_ENV !== 'test' || !existsSync(order)) return passOn;
  const [point, nth = '1'] = readFileSync(order, 'utf8').trim().split(' ') as [CrashPoint, string?];
  rmSync(order);
  let left = Number(nth);
  return (passed) => {
    if (passed === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
