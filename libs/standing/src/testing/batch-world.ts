import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CreditRecord } from '#contract';
import { formatId, type ShardedId, uuidV7 } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { type LineOutcome, ReceiveBatch, type RecordBatch, RunBatch } from '#records';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { bankKey, rating, signed } from '#records/testing/records';
import { createNotary } from '../adapters/node-notary.js';
import { PgEventQueue } from '../adapters/pg-event-queue.js';
import { PgExchange } from '../adapters/pg-exchange.js';
import { PgLineExchange } from '../adapters/pg-line-exchange.js';
import { PgStandingReader } from '../adapters/pg-standing-reader.js';
import { openManifest, pageReader } from '../adapters/read-record.js';
import { SignatureThreads } from '../adapters/signature-threads.js';
import { AcceptLines } from '../batch/accept-lines.js';
import type { LineExchange } from '../batch/line-books.js';
import { receiptWriter } from '../record-receipt.js';
import { ExchangeWorld, receiptSigner } from './exchange-world.js';

const LIMITS = { bytesMax: 4_000_000, linesMax: 2_000 };
const batchNotary = createNotary('https://gateway.test', () => receiptSigner);
const keys = { findKey: (_id: string, kid: string) => (kid === bankKey.kid ? bankKey : undefined) };

/** Batches of bank-a on PostgreSQL and a folder of their own. */
export class BatchWorld {
  /** Whom the next record is about. */
  subject!: ShardedId;
  ref!: ShardedId;
  private readonly threads = new SignatureThreads();
  private n = 0;
  private ids = 0;

  private constructor(
    readonly fresh: FreshDatabase,
    readonly exchange: ExchangeWorld,
    readonly folder: string,
    readonly files: FsBatchFiles,
    readonly store: PgBatchStore,
  ) {}

  static async open(): Promise<BatchWorld> {
    const fresh = await freshDatabase();
    const { database } = fresh;
    const ground = {
      exchange: new PgExchange(database, receiptWriter(batchNotary)),
      queue: new PgEventQueue(database),
      reader: new PgStandingReader(database),
    };
    const folder = mkdtempSync(path.join(tmpdir(), 'batches-'));
    const exchange = new ExchangeWorld({ ...ground, factKinds: () => Promise.resolve([]) });
    return new BatchWorld(fresh, exchange, folder, new FsBatchFiles(folder, LIMITS), new PgBatchStore(database));
  }

  async close(): Promise<void> {
    await this.threads.close();
    await this.fresh.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A new subject, linked to bank-a. */
  async newSubject(): Promise<void> {
    this.subject = await this.exchange.subject();
    this.ref = await this.exchange.link(this.subject, 'bank-a');
  }

  get book(): PgRecordBook {
    return new PgRecordBook(this.fresh.database, receiptWriter(batchNotary));
  }

  record(body: Parameters<ExchangeWorld['record']>[3], about = this.ref): CreditRecord {
    return this.exchange.record('bank-a', about, ++this.n, body);
  }

  rated(about = this.ref): CreditRecord {
    return this.record({ kind: 'rating', rating: rating(800) }, about);
  }

  get filesLeft(): string[] {
    return readdirSync(this.folder);
  }

  async receive(bytes: Buffer, { encoding, sealed }: { encoding?: string | undefined; sealed?: boolean } = {}) {
    const receiver = new ReceiveBatch(this.store, this.exchange.clock, (at) =>
      uuidV7(at.getTime(), Buffer.from(`${++this.ids}`.padStart(10, '0'))),
    );
    const open = sealed ? (received: Uint8Array) => openManifest(keys, 'bank-a', received) : undefined;
    return await receiver.receive('bank-a', await this.files.spool(inPieces(bytes), encoding, open));
  }

  runner(exchange: LineExchange = new PgLineExchange(this.fresh.database, receiptWriter(batchNotary))): RunBatch {
    const { accept, clock } = this.exchange;
    return new RunBatch(
      this.store,
      this.files,
      new AcceptLines(
        exchange,
        accept,
        pageReader(keys, this.files, (checks) => this.threads.check(checks)),
        batchNotary,
        clock,
      ),
      clock,
    );
  }

  /** The lines' outcomes as `1 ACCEPTED`, or with the code of the refusal. */
  async outcomesOf({ id }: RecordBatch): Promise<string[]> {
    const outcomes: LineOutcome[] = [];
    const next = () => this.store.outcomes(id, outcomes.at(-1)?.line ?? 0, 7, false);
    for (let page = await next(); page.length > 0; page = await next()) outcomes.push(...page);
    return outcomes.map(({ line, outcome, code }) => `${line} ${code ?? outcome}`);
  }

  /** As if the worker that holds it had been silent for long. */
  async endLease({ shard, uuid }: ShardedId): Promise<void> {
    await this.fresh.database.query(`UPDATE record_batches SET leased_until = '-infinity' WHERE shard = $1 AND batch = $2`, [shard, uuid]);
  }

  /** Changes one digit of the last line that waits. */
  spoil(id: ShardedId): void {
    const file = path.join(this.folder, `${formatId('bat', id)}.ndjson`);
    const lines = readFileSync(file, 'utf8');
    const at = lines.lastIndexOf('"score":8');
    writeFileSync(file, `${lines.slice(0, at)}"score":9${lines.slice(at + 9)}`);
  }

  /** Shards whose numbers have a gap. */
  async gaps(): Promise<bigint | undefined> {
    const [facts] = await this.fresh.database.query<{ gaps: bigint }>(
      `SELECT count(*) AS gaps FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)`,
    );
    return facts?.gaps;
  }
}

export const lineOf = (record: CreditRecord) => Buffer.from(signed(record));
export const textOf = (lines: readonly (Buffer | string)[]) =>
  Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));

const pieceBytes = 1_000;

async function* inPieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
