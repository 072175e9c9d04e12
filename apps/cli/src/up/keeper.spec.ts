import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Keeper, type Kept } from './keeper.js';

const TIMES = { backoffMs: [1, 5, 20], healthyAfterMs: 1000 };

/** Processes that end when told to, or when `crash` is called. */
class FakeProcesses {
  readonly starts: number[] = [];
  readonly failing = new Set<number>();
  private end: () => void = () => undefined;

  readonly start = async (): Promise<Kept> => {
    const pid = this.starts.push(Date.now());
    if (this.failing.has(pid)) throw new Error(`start ${pid} failed`);
    const exited = new Promise<void>((resolve) => (this.end = resolve));
    return { pid, exited, stop: async () => this.end() };
  };

  crash(): void {
    this.end();
  }
}

async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !check(); i++) await delay(2);
  expect(check()).toBe(true);
}

describe('a keeper', () => {
  it('starts a process again that ended', async () => {
    const processes = new FakeProcesses();
    const keeper = new Keeper('worker', processes.start, undefined, TIMES);
    await keeper.start();
    processes.crash();
    await until(() => keeper.report().pid === 2);
    expect(keeper.report()).toEqual({ name: 'worker', state: 'running', pid: 2, restarts: 1 });
    await keeper.stop();
  });

  it('goes on trying, ever slower, while starting fails', async () => {
    const processes = new FakeProcesses();
    processes.failing.add(2).add(3);
    const keeper = new Keeper('worker', processes.start, undefined, TIMES);
    await keeper.start();
    processes.crash();
    await until(() => keeper.report().pid === 4);
    expect(processes.starts[3]! - processes.starts[2]!).toBeGreaterThanOrEqual(18);
    await keeper.stop();
  });

  it('says that the first start failed', async () => {
    const processes = new FakeProcesses();
    processes.failing.add(1);
    await expect(new Keeper('worker', processes.start).start()).rejects.toThrow('start 1 failed');
  });

  it('does not start again what it stopped', async () => {
    const processes = new FakeProcesses();
    const keeper = new Keeper('worker', processes.start, undefined, TIMES);
    await keeper.start();
    await keeper.stop();
    await delay(30);
    expect(processes.starts).toHaveLength(1);
    expect(keeper.report().state).toBe('stopped');
  });

  it('does not count a restart that was asked for', async () => {
    const processes = new FakeProcesses();
    const keeper = new Keeper('worker', processes.start, undefined, TIMES);
    await keeper.start();
    await keeper.restart();
    await until(() => keeper.report().pid === 2);
    expect(keeper.report().restarts).toBe(0);
    await keeper.stop();
  });
});
