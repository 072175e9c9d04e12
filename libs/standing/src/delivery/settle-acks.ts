/** Writes acknowledgements down as they come, many in one statement: while one write is under way, the next ones gather. */
export class SettleAcks {
  private waiting: string[] = [];
  private writing: Promise<void> | undefined;
  private broken: unknown;

  constructor(private readonly write: (ids: readonly string[]) => Promise<void>) {}

  add(id: string): void {
    this.waiting.push(id);
    this.writing ??= this.writeAll();
  }

  /** Resolves when everything is written; throws where a write failed: what it held is pushed again. */
  async settled(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.broken !== undefined) throw this.broken as Error;
  }

  private async writeAll(): Promise<void> {
    try {
      // What is acknowledged in this very turn goes together.
      await Promise.resolve();
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
