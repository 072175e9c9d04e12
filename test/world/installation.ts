import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#platform';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  /** Everything on the screen: stdout, then stderr. */
  readonly output: string;
}

/** A whole Tallystick of its own, started as a user would: `npm run up` in another folder and on other ports. */
export interface Installation {
  readonly home: string;
  /** The environment of the running installation: `env.json`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly screen: string;
  command(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** Ends one process with SIGKILL as soon as it passes `point` for the nth time after its next start. */
  armCrash(app: string, point: string, nth: number): void;
  stop(): Promise<void>;
}

const PORTS = ['GATEWAY_PORT', 'ENROLMENT_PORT', 'DECISION_HTTP_PORT', 'DECISION_GRPC_PORT', 'CONSOLE_PORT', 'WORKER_PORT'] as const;
const outputBytesMax = 16 * 2 ** 20;

export async function startInstallation(env: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const home = path.join(mkdtempSync(path.join(tmpdir(), 'tallystick-up-')), 'home');
  const ports = Object.fromEntries(await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const)));
  const own = {
    ...ports,
    GATEWAY_ORIGIN: `https://localhost:${ports['GATEWAY_PORT']}`,
    TALLYSTICK_HOME: home,
    TALLYSTICK_ENV: 'test',
    ...env,
  };
  const up = await bootstrap(['up'], own);
  if (up.code !== 0) {
    await bootstrap(['reset', '--yes'], own);
    rmSync(path.dirname(home), { recursive: true, force: true });
    throw new Error(`up ended with ${up.code}:\n${up.output}`);
  }
  return {
    home,
    settings: JSON.parse(readFileSync(path.join(home, 'env.json'), 'utf8')) as Record<string, string>,
    screen: up.output,
    command: (args, more = {}) => bootstrap(args, { ...own, ...more }),
    armCrash(app, point, nth) {
      mkdirSync(path.join(home, 'crash'), { recursive: true });
      writeFileSync(path.join(home, 'crash', app), `${point} ${nth}\n`);
    },
    async stop() {
      await bootstrap(['reset', '--yes'], own);
      rmSync(path.dirname(home), { recursive: true, force: true });
    },
  };
}

/** `node apps/cli/bootstrap.mjs …` is what every npm script of ours calls. */
function bootstrap(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['apps/cli/bootstrap.mjs', ...args],
      { env: { ...process.env, ...env }, maxBuffer: outputBytesMax },
      (error, stdout, stderr) =>
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, output: stdout + stderr }),
    );
  });
}
