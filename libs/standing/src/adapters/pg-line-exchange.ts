import type { Link, Subject } from '#consents';
import type { Shard, ShardedId } from '#kernel';
import { type Database, int2Array, type Tx, uuidArray } from '#platform';
import { BatchLeaseLost, type BatchProgress, type BatchStep, type WriteReceipt } from '#records';
import { PgBatchProgress } from '#records/adapters/pg-batch-store';
import type { AddedLine, HeldLink, LineBooks, LineExchange } from '../batch/line-books.js';
import type { Books } from '../store.js';
import { NameTaken } from '../together/together-books.js';
import { addedLines, ADD_LINES } from './added-lines.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { booksOf } from './pg-exchange.js';
import { PgTogetherBooks } from './pg-together-books.js';

/** Many records at a time over one PostgreSQL transaction: two calls for all of them. */
export class PgLineExchange implements LineExchange {
  constructor(
    private readonly database: Database,
    private readonly write?: WriteReceipt,
  ) {}

  many<T>(work: (books: LineBooks) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(new PgLineBooks(tx))));
  }

  one<T>(work: (books: Books, progress: BatchProgress) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(booksOf(tx, this.write), new PgBatchProgress(tx))));
  }
}

interface HeldRow {
  shard: Shard;
  ref: string;
  subject: string;
  participant_id: string;
  created_at: Date;
  ended_at: Date | null;
  kind: Subject['kind'];
  subject_created_at: Date;
  in_force: bigint;
}

class PgLineBooks extends PgTogetherBooks implements LineBooks {
  readonly progress: PgBatchProgress;

  constructor(private readonly transaction: Tx) {
    super(transaction);
    this.progress = new PgBatchProgress(transaction);
  }

  async holdLinks(refs: readonly ShardedId[]): Promise<ReadonlyMap<string, HeldLink>> {
    const links = [...new Map(refs.map((ref) => [ref.uuid, ref])).values()];
    const rows = await this.transaction.query<HeldRow>(
      'SELECT * FROM hold_links($1, $2)',
      [int2Array(links.map(({ shard }) => shard)), uuidArray(links.map(({ uuid }) => uuid))],
      'hold_links',
    );
    return new Map(rows.map((row) => [row.ref, readHeld(row)]));
  }

  async add(step: BatchStep, added: readonly AddedLine[]): Promise<void> {
    const values = addedLines(step, added, await this.transaction.typeOid('batch_line'));
    const [row] = await this.transaction.query<{ done: 'ADDED' | 'NAME_TAKEN' | 'LEASE_LOST' }>(ADD_LINES, values, 'add_lines');
    if (row!.done === 'LEASE_LOST') throw new BatchLeaseLost();
    if (row!.done === 'NAME_TAKEN') throw new NameTaken();
    await this.progress.keepOutcomes(step);
  }
}

function readHeld(row: HeldRow): HeldLink {
  const subject = { shard: row.shard, uuid: row.subject };
  const link: Link = {
    ref: { shard: row.shard, uuid: row.ref },
    subject,
    participant: row.participant_id,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  };
  return { link, subject: { id: subject, kind: row.kind, createdAt: row.subject_created_at }, inForceCount: Number(row.in_force) };
}
