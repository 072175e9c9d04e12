import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder in which somebody ran `npm install @tallystick/sdk`: the package as it is published, and nothing of the repository. */
export interface InstalledSdk {
  readonly folder: string;
  /** Runs an example or a script of the folder. Rejects where it fails, or leaves temporary files. @returns what it printed, by line */
  run(script: string, env?: Readonly<Record<string, string>>): Promise<string[]>;
  remove(): void;
}

const DEPENDENCIES = ['canonicalize', 'jose', 'undici', 'zod'];

export function installSdk(): InstalledSdk {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-sdk-'));
  const modules = path.join(folder, 'node_modules');
  const sdk = path.join(modules, '@tallystick/sdk');
  mkdirSync(sdk, { recursive: true });
  execFileSync(process.execPath, ['libs/sdk/npm/pack.mjs', sdk]);
  for (const name of DEPENDENCIES) symlinkSync(path.resolve('node_modules', name), path.join(modules, name), 'dir');
  cpSync('libs/sdk/examples', folder, { recursive: true });
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary);
  return {
    folder,
    run: (script, env = {}) =>
      new Promise((resolve, reject) => {
        const its = { PATH: process.env['PATH'], TMPDIR: temporary, ...env };
        execFile(process.execPath, [script], { cwd: folder, env: its }, (error, stdout, stderr) => {
          if (error) reject(new Error(`${script}: ${stdout}${stderr}`, { cause: error }));
          else if (readdirSync(temporary).length > 0) reject(new Error(`${script} left ${readdirSync(temporary).join(', ')}`));
          else resolve(stdout.trim().split('\n'));
        });
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
