import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Module } from '@nestjs/common';
import { type Clock, uuidV7 } from '#kernel';
import { ParticipantRegistry } from '#partners';
import { type Config, Database } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { type BatchStore, ReceiveBatch, RunBatch } from '#records';
import { watchBatches } from '#records/adapters/batch-metrics';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { AcceptRecord } from '../accept-record.js';
import { AcceptLines } from '../batch/accept-lines.js';
import type { Notary } from '../notary.js';
import { receiptWriter } from '../record-receipt.js';
import { PgLineExchange } from './pg-line-exchange.js';
import { pageReader } from './read-record.js';
import { SignatureThreads } from './signature-threads.js';
import { NOTARY, RecordExchangeModule } from './standing.module.js';

const STORE = [
  { provide: PgBatchStore, inject: [Database], useFactory: (database: Database) => new PgBatchStore(database) },
  {
    provide: FsBatchFiles,
    inject: [CONFIG],
    useFactory: ({ TALLYSTICK_HOME }: Config) => new FsBatchFiles(path.join(TALLYSTICK_HOME, 'batches')),
  },
];

/** Batches of records in, for the gateway. */
@Module({
  providers: [
    ...STORE,
    {
      provide: ReceiveBatch,
      inject: [PgBatchStore, CLOCK],
      useFactory: (store: BatchStore, clock: Clock) => new ReceiveBatch(store, clock, (at) => uuidV7(at.getTime(), randomBytes(10))),
    },
  ],
  exports: [PgBatchStore, FsBatchFiles, ReceiveBatch],
})
export class RecordBatchesModule {}

/** Batches of records worked off, for the worker. Needs the signing key `receipt` and the participants' registry. */
@Module({
  imports: [RecordExchangeModule],
  providers: [
    ...STORE,
    { provide: SignatureThreads, useFactory: () => new SignatureThreads() },
    {
      provide: RunBatch,
      inject: [PgBatchStore, FsBatchFiles, Database, AcceptRecord, ParticipantRegistry, NOTARY, CLOCK, SignatureThreads],
      useFactory: runBatch,
    },
  ],
  exports: [PgBatchStore, FsBatchFiles, RunBatch],
})
export class BatchWorkModule {}

function runBatch(
  store: PgBatchStore,
  files: FsBatchFiles,
  database: Database,
  accept: AcceptRecord,
  registry: ParticipantRegistry,
  notary: Notary,
  clock: Clock,
  threads: SignatureThreads,
): RunBatch {
  watchBatches(database);
  const page = pageReader(registry, files, (checks) => threads.check(checks));
  const lines = new AcceptLines(new PgLineExchange(database, receiptWriter(notary)), accept, page, notary, clock);
  return new RunBatch(store, files, lines, clock);
}
