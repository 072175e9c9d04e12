import { type ChildProcess, spawn } from 'node:child_process';
import type { RunAs } from './binaries.js';

/** A server of ours (PostgreSQL, Redis) that runs as a child of this process. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Settles when the process is gone, for whatever reason. */
  readonly exited: Promise<void>;
  /** Asks it to finish, and insists after ten seconds. */
  stop(): Promise<void>;
}

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly runAs: RunAs;
  /** What it prints when it accepts connections. */
  readonly readyLine: string;
  readonly stopSignal: NodeJS.Signals;
  readonly url: string;
  /** Everything it prints. */
  readonly onOutput: (chunk: string) => void;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Starts a server and waits until it says it is ready. Rejects with its last words when it ends first. */
export async function startServer(start: Start): Promise<ServerProcess> {
  const child = spawn(start.command, start.args, {
    ...start.runAs,
    cwd: start.cwd,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  await ready(child, start);
  return { url: start.url, pid: child.pid!, exited, stop: () => stop(child, exited, start.stopSignal) };
}

function ready(child: ChildProcess, start: Start): Promise<void> {
  return new Promise((resolve, reject) => {
    let words = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${start.command} was not ready within ${START_TIMEOUT_MS / 1000} s:\n${words}`));
    }, START_TIMEOUT_MS);
    const listen = (chunk: Buffer) => {
      start.onOutput(String(chunk));
      words = (words + String(chunk)).slice(-4000);
      if (words.includes(start.readyLine)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    const fail = (reason: unknown) => {
      clearTimeout(timer);
      reject(new Error(`${start.command} did not start (${String(reason)}):\n${words}`));
    };
    child.once('error', fail).once('close', fail);
  });
}

async function stop(child: ChildProcess, exited: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
