/** So many acknowledgements are written together… */
export const acksTogetherMax = 32;
/** …and as soon as the first of them has waited this long when another comes: a slow receiver's are written one by one. */
export const ackWaitMsMax = 100;

/**
 * Writes acknowledgements down many at once: one statement for each would cost more than the push. What a process takes with it when it dies in
 * between is pushed again.
 */
export class SettleAcks {
  private waiting: string[] = [];
  private sinceMs = 0;
  private writing: Promise<void> | undefined;
  private broken: unknown;

  constructor(private readonly write: (ids: readonly string[]) => Promise<void>) {}

  add(id: string, at: Date): void {
    if (this.waiting.length === 0) this.sinceMs = at.getTime();
    this.waiting.push(id);
    if (this.waiting.length >= acksTogetherMax || at.getTime() - this.sinceMs >= ackWaitMsMax) this.writing ??= this.writeAll();
  }

  /** Resolves when everything is written; throws where a write failed: what it held is pushed again. */
  async settled(): Promise<void> {
    await this.writing;
    await this.writeAll();
    if (this.broken !== undefined) throw this.broken as Error;
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const ids = this.waiting;
        this.waiting = [];
        await this.write(ids);
      }
    } catch (error) {
      this.broken = error;
    } finally {
      this.writing = undefined;
    }
  }
}
