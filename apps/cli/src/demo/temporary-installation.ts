import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, SETTINGS } from '#platform';
import { OWN, PORTS } from '../up/installation.js';
import { withScratch } from './with-scratch.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Starts an installation in a scratch folder and on free ports, lets `use` work on it, and leaves nothing behind. */
export async function withTemporaryInstallation<T>(use: (environment: NodeJS.ProcessEnv) => T | Promise<T>): Promise<T> {
  const ports = await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const));
  const own = { ...withoutInstallation(process.env), ...Object.fromEntries(ports) };
  const environmentIn = (scratch: string) => ({ ...own, TALLYSTICK_HOME: path.join(scratch, 'home') });
  const start = (scratch: string) => {
    const environment = environmentIn(scratch);
    console.log('nothing is running here: starting a temporary installation');
    command(['up'], environment);
    const settings = JSON.parse(readFileSync(path.join(environment.TALLYSTICK_HOME, 'env.json'), 'utf8')) as NodeJS.ProcessEnv;
    return use({ ...environment, ...settings });
  };
  return await withScratch('tallystick-temporary-', start, (scratch) => command(['reset', '--yes'], environmentIn(scratch)));
}

function command(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`"tallystick ${args.join(' ')}" did not succeed on the temporary installation`);
}

/** The shell's environment without what belongs to the installation that the command line was started for. */
function withoutInstallation(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const theirs = [...Object.keys(SETTINGS), ...Object.values(OWN)];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !theirs.includes(name)));
}
