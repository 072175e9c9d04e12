import { type Clock, type Facts, formatId, shardOf } from '#kernel';
import type { BatchStore, NewBatch, RecordBatch } from './batch.js';

/** Lines that came in whole and are durable: what they are, and how they get their name. */
export interface SpooledBatch {
  readonly content: Pick<NewBatch, 'digest' | 'sizeBytes' | 'linesTotal' | 'faults' | 'manifest' | 'nextLine' | 'nextByte'>;
  /** Puts them where the batch of this id is read from. Durable when it returns. */
  keepAs(id: RecordBatch['id']): Promise<void>;
  /** Removes the lines, wherever they are by now. */
  discard(): Promise<void>;
}

/** Receives a batch: kept first, then told of. The same lines again are answered with the batch they were first. */
export class ReceiveBatch {
  constructor(
    private readonly store: BatchStore,
    private readonly clock: Clock,
    private readonly uuid: (at: Date) => string,
  ) {}

  /** Refuses 429 `batch.too_many_open`. */
  async receive(
    participant: string,
    spooled: SpooledBatch,
    certificate?: string,
  ): Promise<{ readonly batch: RecordBatch; readonly repeated: boolean }> {
    let isKept = false;
    try {
      const known = await this.store.findSame(participant, spooled.content.digest);
      if (known) return { batch: known, repeated: true };
      const received = await this.keep(participant, spooled, certificate);
      isKept = !received.repeated;
      return received;
    } finally {
      if (!isKept) await spooled.discard();
    }
  }

  private async keep(participant: string, spooled: SpooledBatch, certificate: string | undefined) {
    const receivedAt = this.clock.now();
    const id = { shard: shardOf(participant), uuid: this.uuid(receivedAt) };
    await spooled.keepAs(id);
    const facts: Facts = [
      { shard: id.shard, kind: 'batch.received', participant, body: { batch: formatId('bat', id), digest: spooled.content.digest } },
    ];
    return await this.store.receive({ id, participant, certificate, receivedAt, ...spooled.content }, facts);
  }
}
