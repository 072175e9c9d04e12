import { type Clock, type Facts, formatId, type ShardedId } from '#kernel';
import { BatchLeaseLost, type BatchFiles, type BatchLease, type BatchStore, type LineOutcome, type RecordBatch } from './batch.js';
import { failedFact, LinesMissing, linesMissingMsMax } from './lost-lines.js';
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

type Report = (progress: BatchReport) => Promise<void>;

/** Works a batch off, line by line in order, from where the last run ended. Nothing a crash leaves behind is done twice or left out. */
export class RunBatch<Read = unknown> {
  constructor(
    private readonly store: BatchStore,
    private readonly files: BatchFiles,
    private readonly taker: LineTaker<Read>,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers `held` where somebody else is at it or it has ended already, `failed` where its lines were missed for too long. Throws `LinesMissing`
   * where they may come back: the folder of another machine, not mounted yet.
   */
  async run(id: ShardedId, report: Report = () => Promise.resolve()): Promise<'done' | 'held' | 'failed'> {
    const leased = await this.store.lease(id);
    if (!leased) return 'held';
    try {
      return await this.end(leased.lease, leased.batch, report);
    } catch (error) {
      if (error instanceof BatchLeaseLost) return 'held';
      throw error;
    }
  }

  private async end(lease: BatchLease, batch: RecordBatch, report: Report): Promise<'done' | 'failed'> {
    try {
      await this.takeAll(lease, batch, report);
    } catch (error) {
      if (!(error instanceof LinesMissing)) throw error;
      const state = await this.store.missLines(lease, this.clock.now(), linesMissingMsMax, failedFact(batch));
      if (state === 'FAILED') return 'failed';
      throw error;
    }
    await this.store.finish(lease, this.clock.now(), doneFact(batch));
    await this.files.discard(batch.id);
    return 'done';
  }

  private async takeAll(lease: BatchLease, batch: RecordBatch, report: Report): Promise<void> {
    const { nextLine, nextByte, linesTotal } = batch;
    let linesDone = batch.accepted + batch.repeated + batch.refused;
    let missed = batch.linesMissingSince !== undefined;
    // Nothing is left to be read, only to be said.
    if (linesDone === linesTotal) return;
    const lines = splitLines(this.files.read(batch), {
      firstLine: nextLine,
      firstByte: nextByte,
      lineBytesMax: recordBytesMax,
    });
    // While one page is saved, the next ones are verified; pages are saved one after another, in their order.
    for await (const page of workAhead(pagesOf(lines, linesPerStepMax), pagesAhead, (texts) => this.taker.read(batch, texts))) {
      if (missed) await this.store.findLines(lease);
      missed = false;
      linesDone += (await this.taker.take(batch, page, lease)).length;
      await report({ linesTotal, linesDone });
    }
  }
}

function doneFact({ id, participant }: RecordBatch): Facts {
  return [{ shard: id.shard, kind: 'batch.done', participant, body: { batch: formatId('bat', id) } }];
}
