import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';

const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Lets `use` have a temporary folder that only its owner reads. It is gone afterwards: also where `use` fails, and where this process is told to end
 * meanwhile. `undo` comes before that: what must not go on without the folder.
 */
export async function withScratch<T>(
  prefix: string,
  use: (folder: string) => T | Promise<T>,
  undo: (folder: string) => void = () => undefined,
): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  const leave = () => {
    try {
      undo(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  process.once('exit', leave);
  for (const signal of ENDS) process.on(signal, exitOn);
  try {
    return await use(folder);
  } finally {
    for (const signal of ENDS) process.off(signal, exitOn);
    process.off('exit', leave);
    leave();
  }
}

function exitOn(signal: (typeof ENDS)[number]): never {
  process.exit(128 + constants.signals[signal]);
}
