import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, openHome, readEnvironment, refuseBusyPorts, settle } from './installation.js';
import { findSupervisor } from './lock.js';
import { type Opened, screen } from './screen.js';
import { supervise, type Word } from './supervise.js';

/** Starts the installation, or says that it runs already. Rejects with a sentence where it cannot. */
export async function up(options: { readonly foreground: boolean }): Promise<void> {
  const home = openHome(process.env);
  const last = readEnvironment(home);
  if (findSupervisor(home) && last) {
    console.log(`already running, nothing changed${screen({ environment: last })}`);
    return;
  }
  const settled = settle(home, process.env, last);
  await refuseBusyPorts(settled);
  if (options.foreground) await supervise(settled, show);
  else console.log(screen(await startDetached(home, settled)));
}

function show(word: Word): void {
  if ('line' in word) console.log(`  ${word.line}`);
  else if ('opened' in word) console.log(`${screen(word.opened)}\n  Attached: Ctrl-C stops it.`);
  else console.error(`\n${word.failed}`);
}

/** The supervisor outlives us; until everything is open it tells us how far it is. */
function startDetached(home: string, settled: Environment): Promise<Opened> {
  const log = openSync(path.join(home, 'logs', 'supervisor.log'), 'w', 0o600);
  const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(new URL('./supervisor.js', import.meta.url))], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  child.send(settled);
  const giveUp = () => void child.kill('SIGTERM');
  process.once('SIGINT', giveUp).once('SIGTERM', giveUp);
  return new Promise((resolve, reject) => {
    child.on('message', (word: Word) => {
      if ('line' in word) console.log(`  ${word.line}`);
      else if ('failed' in word) reject(new Error(word.failed));
      else {
        child.unref();
        resolve(word.opened);
      }
    });
    child.once('exit', (_code, signal) => reject(new Error(`stopped before everything was open${signal ? ` (${signal})` : ''}`)));
    child.once('error', reject);
  });
}
