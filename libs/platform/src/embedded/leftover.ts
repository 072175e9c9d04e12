import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MS = 10_000;
const STEP_MS = 50;

/**
 * Ends a server of ours whose parent was killed, so that a new one can take its folder.
 * A process id may have been given to a stranger meanwhile: only a process whose working folder is ours is touched.
 * @returns whether there was one
 */
export async function endLeftover(pidFile: string, workingFolder: string, signal: NodeJS.Signals): Promise<boolean> {
  const pid = readPid(pidFile);
  if (pid === undefined || !worksIn(pid, workingFolder)) return false;
  process.kill(pid, signal);
  for (let waitedMs = 0; worksIn(pid, workingFolder); waitedMs += STEP_MS) {
    if (waitedMs > WAIT_MS) throw new Error(`a server from an earlier start (process ${pid}) does not end: stop it, then try again`);
    await delay(STEP_MS);
  }
  return true;
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}
