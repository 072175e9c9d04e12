import { type Clock, type Facts, formatId, Refusal, type ShardedId, shardOf } from '#kernel';
import type { BatchStore, NewBatch, RecordBatch } from './batch.js';
import { missesLines } from './lost-lines.js';

/** Lines that came in whole and are durable: what they are, and how they get their name. */
export interface SpooledBatch {
  readonly content: Pick<NewBatch, 'digest' | 'sizeBytes' | 'linesTotal' | 'faults' | 'manifest' | 'nextLine' | 'nextByte'>;
  /** Puts them where the batch of this id is read from. Durable when it returns. */
  keepAs(id: RecordBatch['id']): Promise<void>;
  /** Removes the lines, wherever they are by now. */
  discard(): Promise<void>;
}

/**
 * Receives a batch: kept first, then told of. The same lines again are answered with the batch they were first; where that one misses its lines,
 * they take their place, and it goes on behind the last line that was taken.
 */
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
    let [mayBeTold, isKnown] = [false, false];
    try {
      const known = await this.store.findSame(participant, spooled.content.digest);
      if (known && missesLines(known)) {
        // From here on they are the known batch's, and another copy of them may be in use under its name.
        mayBeTold = isKnown = true;
        return await this.putBack(known, spooled);
      }
      if (known) return { batch: known, repeated: true };
      const receivedAt = this.clock.now();
      const id = { shard: shardOf(participant), uuid: this.uuid(receivedAt) };
      await spooled.keepAs(id);
      mayBeTold = true;
      const received = await this.store.receive(
        { id, participant, certificate, receivedAt, ...spooled.content },
        receivedFact(id, participant, spooled),
      );
      mayBeTold = !received.repeated;
      return received;
    } catch (error) {
      // Where no answer came, the batch may stand all the same: its lines stay, and are swept where nobody knows it.
      if (error instanceof Refusal && !isKnown) mayBeTold = false;
      throw error;
    } finally {
      if (!mayBeTold) await spooled.discard();
    }
  }

  private async putBack(known: RecordBatch, spooled: SpooledBatch): ReturnType<BatchStore['receive']> {
    await spooled.keepAs(known.id);
    const resumed = await this.store.resume(known.id, receivedFact(known.id, known.participant, spooled));
    return { batch: resumed ?? known, repeated: resumed === undefined };
  }
}

function receivedFact({ shard, uuid }: ShardedId, participant: string, { content }: SpooledBatch): Facts {
  const body = { batch: formatId('bat', { shard, uuid }), digest: content.digest };
  return [{ shard, kind: 'batch.received', participant, body }];
}
