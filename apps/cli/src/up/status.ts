import { existsSync, readFileSync } from 'node:fs';
import { DOORS, probe, urlOf } from './doors.js';
import { readEnvironment } from './installation.js';
import type { KeeperState } from './keeper.js';
import { findSupervisor } from './lock.js';
import { statusFile } from './run-installation.js';

export interface Status {
  readonly ready: boolean;
  /** For the screen. */
  readonly lines: readonly string[];
}

/** How each process is, by the supervisor's book and by the doors' own answer. */
export async function status(home: string): Promise<Status> {
  const environment = readEnvironment(home);
  if (!findSupervisor(home) || !environment || !existsSync(statusFile(home))) {
    return { ready: false, lines: ['not running; start it with "npm run up"'] };
  }
  const states = JSON.parse(readFileSync(statusFile(home), 'utf8')) as KeeperState[];
  const rows = await Promise.all(
    states.map(async (state) => {
      const door = DOORS.find(({ app }) => app === state.name);
      const answer = door ? await probe(door, environment) : state.state;
      return { ok: answer === 'ready' || answer === 'running', line: row(state, answer, door ? urlOf(door, environment) : '') };
    }),
  );
  return { ready: rows.every(({ ok }) => ok), lines: rows.map(({ line }) => line) };
}

function row({ name, pid, restarts }: KeeperState, answer: string, url: string): string {
  const restarted = restarts > 0 ? `restarted ${restarts}×` : '';
  return [name.padEnd(13), answer.padEnd(9), `process ${pid ?? '-'}`.padEnd(16), url.padEnd(25), restarted].join(' ').trimEnd();
}
