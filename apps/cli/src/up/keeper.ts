import { setTimeout as delay } from 'node:timers/promises';

/** One running process, however it was started. */
export interface Kept {
  readonly pid: number;
  /** Settles when it is gone, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface KeeperState {
  readonly name: string;
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
  readonly pid: number | undefined;
  /** How often it ended by itself since we began. */
  readonly restarts: number;
}

export interface KeeperTimes {
  /** Waits before the first, second, … restart in a row; the last one repeats. */
  readonly backoffMs: readonly number[];
  /** Having run this long, a process starts again at the first wait. */
  readonly healthyAfterMs: number;
}

const TIMES: KeeperTimes = { backoffMs: [100, 500, 1000, 2000, 5000, 10_000], healthyAfterMs: 30_000 };

/** Keeps one process running: started again whenever it ends, until `stop`. */
export class Keeper {
  private current: Kept | undefined;
  private state: KeeperState['state'] = 'starting';
  private restarts = 0;
  private stopped = false;
  private asked = false;
  private watching: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly startOne: () => Promise<Kept>,
    private readonly onChange: () => void = () => undefined,
    private readonly times: KeeperTimes = TIMES,
  ) {}

  /** The first start: rejects where it fails, because then somebody must do something. */
  async start(): Promise<void> {
    await this.startNow();
    this.watching = this.watch();
  }

  /** Ends the process; the watch starts the next one at once. */
  async restart(): Promise<void> {
    this.asked = true;
    await this.current?.stop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.current?.stop();
    await this.watching;
    this.become('stopped');
  }

  report(): KeeperState {
    return { name: this.name, state: this.state, pid: this.current?.pid, restarts: this.restarts };
  }

  private async watch(): Promise<void> {
    let inARow = 0;
    while (!this.stopped) {
      const since = Date.now();
      await this.current?.exited;
      this.current = undefined;
      if (this.stopped) return;
      this.become('restarting');
      if (!this.asked) {
        this.restarts += 1;
        inARow = Date.now() - since > this.times.healthyAfterMs ? 0 : inARow;
        await delay(this.times.backoffMs[Math.min(inARow++, this.times.backoffMs.length - 1)]);
      }
      this.asked = false;
      // A start that fails counts like a process that ended: the next round waits longer.
      await this.startNow().catch(() => undefined);
    }
  }

  private async startNow(): Promise<void> {
    if (this.stopped) return;
    this.current = await this.startOne();
    this.become('running');
    if (this.stopped) await (this.current as Kept).stop();
  }

  private become(state: KeeperState['state']): void {
    this.state = state;
    this.onChange();
  }
}
