import { DurableLog } from './durable-log.js';

/** Which events were taken: each once, over all processes and restarts. A bank's own is a table with a unique key on `jti`. */
export interface EventLedger {
  /**
   * Runs `work` unless this event was taken before, and keeps that it was; where it can, both in one transaction. When `work` throws, nothing is
   * kept. Two calls at once for one event run it once. Answers whether it ran.
   */
  once(jti: string, work: () => Promise<void>): Promise<boolean>;
}

/**
 * A ledger in a file of this process. What is kept is on the disk before the event is acknowledged; a crash between `work` and that has `work`
 * run again, so let it be repeatable.
 */
export class FileEventLedger implements EventLedger {
  private readonly underWay = new Map<string, Promise<void>>();
  private written: Promise<void> = Promise.resolve();

  private constructor(
    private readonly log: DurableLog<{ jti: string }>,
    private readonly taken: Set<string>,
  ) {}

  static async open(file: string): Promise<FileEventLedger> {
    const log = await DurableLog.open<{ jti: string }>(file);
    return new FileEventLedger(log, new Set((await log.readNew()).map(({ jti }) => jti)));
  }

  async once(jti: string, work: () => Promise<void>): Promise<boolean> {
    for (let other = this.underWay.get(jti); other; other = this.underWay.get(jti)) await other.catch(() => undefined);
    if (this.taken.has(jti)) return false;
    const done = this.take(jti, work);
    this.underWay.set(jti, done);
    try {
      await done;
      return true;
    } finally {
      this.underWay.delete(jti);
    }
  }

  async close(): Promise<void> {
    await this.log.close();
  }

  private async take(jti: string, work: () => Promise<void>): Promise<void> {
    await work();
    await this.append(jti);
    this.taken.add(jti);
  }

  /** One line after the other: the log takes one at a time. */
  private append(jti: string): Promise<void> {
    const next = this.written.then(() => this.log.append({ jti }));
    this.written = next.catch(() => undefined);
    return next;
  }
}
