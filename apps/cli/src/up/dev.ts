import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { down } from './down.js';
import { findSupervisor } from './lock.js';
import { up } from './up.js';

const WATCHED = ['apps', 'libs', 'prisma', 'certs'];
const SOURCE = /\.(ts|tsx|css|html|proto|json|prisma)$/;
const BUILT = /(^|\/)(dist|generated|node_modules)\//;
/** Editors save in several writes. */
const QUIET_MS = 200;

/** The working loop: everything runs, and a saved file is in force a second later. */
export async function dev(home: string): Promise<void> {
  await up({ foreground: false });
  console.log('\n  Watching for changes; Ctrl-C stops everything.');
  let timer: NodeJS.Timeout | undefined;
  const watchers = WATCHED.map((folder) =>
    watch(folder, { recursive: true }, (_event, file) => {
      if (!file || !SOURCE.test(file) || BUILT.test(file)) return;
      clearTimeout(timer);
      timer = setTimeout(() => void rebuild(home), QUIET_MS);
    }),
  );
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve()));
  watchers.forEach((watcher) => watcher.close());
  clearTimeout(timer);
  await down(home);
}

let building: Promise<void> = Promise.resolve();

/** One after the other: a change during a build is built next. A build that fails leaves the old one running. */
function rebuild(home: string): Promise<void> {
  building = building.then(async () => {
    const supervisor = (await build()) ? findSupervisor(home) : undefined;
    if (!supervisor) return;
    process.kill(supervisor, 'SIGHUP');
    console.log('  restarted');
  });
  return building;
}

function build(): Promise<boolean> {
  const child = spawn(process.execPath, ['apps/cli/bootstrap.mjs', 'build'], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0)));
}
