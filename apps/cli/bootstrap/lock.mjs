import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const STEP_MS = 200;
const WAIT_MS = 10 * 60_000;

/** Runs `work` while no other process does: two builds at once would read each other's half-written files. */
export async function exclusively(file, work) {
  for (let waitedMs = 0; !take(file); waitedMs += STEP_MS) {
    if (waitedMs === 0) process.stderr.write('  waiting for another build …\n');
    if (waitedMs > WAIT_MS) throw new Error(`another build does not end; if there is none, delete ${file}`);
    await delay(STEP_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EROFS') throw new Error(`cannot write to ${file}: run this as the owner of the folder`);
    if (error.code !== 'EEXIST') throw error;
    if (!holderLives(file)) rmSync(file, { force: true });
    return false;
  }
}

function holderLives(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // The holder may be between making the file and writing its number.
    if (pid) process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
