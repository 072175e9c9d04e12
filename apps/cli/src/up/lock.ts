import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** How a process of ours is recognised: by its number and by what it runs, because numbers are given out again. */
const SUPERVISOR_MARK = 'tallystick-supervisor';

/** The process that looks after this installation now, if there is one. */
export function findSupervisor(home: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(lockFile(home), 'utf8'));
  } catch {
    return undefined;
  }
  return pid > 1 && commandOf(pid).includes(SUPERVISOR_MARK) ? pid : undefined;
}

/** Makes this process the one that looks after the installation. Throws where there is one already. */
export function becomeSupervisor(home: string): void {
  process.title = `${SUPERVISOR_MARK} ${home}`;
  for (;;) {
    try {
      writeFileSync(lockFile(home), String(process.pid), { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const other = findSupervisor(home);
      if (other) throw new Error(`this installation is running or starting already (process ${other}); see "npm run status"`);
      rmSync(lockFile(home), { force: true });
    }
  }
}

export function resign(home: string): void {
  rmSync(lockFile(home), { force: true });
}

function lockFile(home: string): string {
  return path.join(home, 'supervisor.pid');
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No such process, or no /proc on this system.
  }
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
