import { openHome, type Environment } from './installation.js';
import { RunningInstallation } from './run-installation.js';
import type { Opened } from './screen.js';

/** What the detached supervisor tells the `up` that started it. */
export type Word = { readonly line: string } | { readonly opened: Opened } | { readonly failed: string };

/** Runs an installation in this process until it is told to stop (SIGTERM, Ctrl-C); SIGHUP restarts our own processes. */
export async function supervise(settled: Environment, tell: (word: Word) => void): Promise<void> {
  const installation = new RunningInstallation(openHome(settled));
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= installation.stop());
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop().then(resolve));
  });
  process.on('SIGHUP', () => void installation.restartApps());
  try {
    tell({ opened: await installation.start(settled, (line) => tell({ line })) });
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    return;
  }
  await stopped;
}
