import { type Clock, type Facts, formatId, type ShardedId } from '#kernel';
import { BatchLeaseLost, type BatchFiles, type BatchLease, type BatchStore, type LineOutcome, type RecordBatch } from './batch.js';
import { pagesOf, splitLines, type TextLine, workAhead } from './split-lines.js';

export const recordBytesMax = 65_536;
/** One transaction's worth: more would hold the shards' heads longer, fewer would commit more often. */
const linesPerStepMax = 256;
/** Enough that no core waits, few enough that a revoked key is soon refused. */
const pagesAhead = 2;

/** Takes lines of a batch. `Read` is what its reading makes of them. */
export interface LineTaker<Read> {
  /** Reads and verifies; changes nothing. */
  read(batch: RecordBatch, lines: readonly TextLine[]): Promise<Read>;
  /** Gives each line its outcome and saves it, with the progress, in the transaction of its effect. */
  take(batch: RecordBatch, read: Read, lease: BatchLease): Promise<readonly LineOutcome[]>;
}

export interface BatchReport {
  readonly linesTotal: number;
  readonly linesDone: number;
}

/** Works a batch off, line by line in order, from where the last run ended. Nothing a crash leaves behind is done twice or left out. */
export class RunBatch<Read = unknown> {
  constructor(
    private readonly store: BatchStore,
    private readonly files: BatchFiles,
    private readonly taker: LineTaker<Read>,
    private readonly clock: Clock,
  ) {}

  /** Answers `held` where somebody else is at it or it is done already. */
  async run(id: ShardedId, report: (progress: BatchReport) => Promise<void> = () => Promise.resolve()): Promise<'done' | 'held'> {
    const leased = await this.store.lease(id);
    if (!leased) return 'held';
    try {
      await this.takeAll(leased.lease, leased.batch, report);
      await this.store.finish(leased.lease, this.clock.now(), doneFact(leased.batch));
    } catch (error) {
      if (error instanceof BatchLeaseLost) return 'held';
      throw error;
    }
    await this.files.discard(id);
    return 'done';
  }

  private async takeAll(lease: BatchLease, batch: RecordBatch, report: (progress: BatchReport) => Promise<void>): Promise<void> {
    const { nextLine, nextByte, linesTotal } = batch;
    let linesDone = batch.accepted + batch.repeated + batch.refused;
    const lines = splitLines(this.files.read(batch.id, nextByte), {
      firstLine: nextLine,
      firstByte: nextByte,
      lineBytesMax: recordBytesMax,
    });
    // While one page is saved, the next ones are verified; pages are saved one after another, in their order.
    for await (const page of workAhead(pagesOf(lines, linesPerStepMax), pagesAhead, (texts) => this.taker.read(batch, texts))) {
      linesDone += (await this.taker.take(batch, page, lease)).length;
      await report({ linesTotal, linesDone });
    }
  }
}

function doneFact({ id, participant }: RecordBatch): Facts {
  return [{ shard: id.shard, kind: 'batch.done', participant, body: { batch: formatId('bat', id) } }];
}
