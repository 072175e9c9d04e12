import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

const readyTries = 100;
const startTries = 10;
/** Longer than a process takes that ends by itself when its goodbye takes too long. */
const patienceMs = 40_000;

/** A process of ours that can be killed and comes up again on the same port, as its supervisor would see to. */
export class Mortal {
  private constructor(
    private readonly app: string,
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly port: number,
    private running: { readonly child: ChildProcess; readonly exited: Promise<void> },
  ) {}

  static async start(app: string, env: Readonly<Record<string, string | undefined>>, port: number): Promise<Mortal> {
    return new Mortal(app, env, port, await start(app, env, port));
  }

  /** SIGKILL, and up again. */
  async crash(): Promise<void> {
    await this.end('SIGKILL');
    this.running = await start(this.app, this.env, this.port);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child, exited } = this.running;
    child.kill(signal);
    const insist = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await exited;
    clearTimeout(insist);
    if (signal === 'SIGTERM' && child.signalCode === 'SIGKILL') throw new Error(`${this.app} did not end when it was asked to`);
  }
}

/** A process whose first words with PostgreSQL are lost ends; its supervisor starts it again. */
async function start(app: string, env: Readonly<Record<string, string | undefined>>, port: number) {
  for (let tries = 0; tries < startTries; tries++) {
    const child = spawn(process.execPath, [`dist/apps/${app}/src/main.js`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (await isReady(child, port)) return { child, exited };
    child.kill('SIGKILL');
    await exited;
  }
  throw new Error(`${app} did not start; was it built? (npm run build)`);
}

async function isReady(child: ChildProcess, port: number): Promise<boolean> {
  for (let tries = 0; tries < readyTries && child.exitCode === null; tries++) {
    const ready = await fetch(`http://127.0.0.1:${port}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return true;
    await delay(100);
  }
  return false;
}
