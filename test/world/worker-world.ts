import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { ConfirmedPayment } from '#decisions';
import { type ShardedId, shardOf, systemClock, uuidV7 } from '#kernel';
import { type Config, createSigner, parseConfig, SIGNER_NAMES } from '#platform';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { readCamt053, ReceiveStatement, type Reconciliation, surveyStatement } from '#reconciliation';
import { PgReconciliationStore } from '#reconciliation/adapters/pg-reconciliation-store';
import { BANK } from '#reconciliation/testing/samples';

/** A private database and home with signing keys: what a worker needs to start. */
export interface WorkerWorld {
  readonly fresh: FreshDatabase;
  readonly store: PgReconciliationStore;
  readonly config: Config;
  readonly env: Readonly<Record<string, string>>;
  /** Files a statement as bank-a would, without the gateway. */
  fileStatement(bytes: Uint8Array): Promise<ShardedId>;
  /** Polls until the reconciliation is closed. */
  closed(id: ShardedId): Promise<Reconciliation>;
  factKinds(): Promise<string[]>;
  close(): Promise<void>;
}

export async function workerWorld(redisUrl: string | undefined): Promise<WorkerWorld> {
  const fresh = await freshDatabase();
  const home = mkdtempSync(path.join(tmpdir(), 'tallystick-worker-'));
  const env = {
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: home,
    DATABASE_URL: fresh.url,
    LOG_LEVEL: 'silent',
    WORKER_PORT: '0',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
  const config = parseConfig(env);
  for (const name of SIGNER_NAMES) createSigner(config, name);
  const store = new PgReconciliationStore(fresh.database);
  const receive = new ReceiveStatement(store, systemClock, (at) => uuidV7(at.getTime(), randomBytes(10)));
  return {
    fresh,
    store,
    config,
    env,
    fileStatement: async (bytes) => {
      const survey = await surveyStatement(readCamt053([bytes]));
      const digest = createHash('sha256').update(bytes).digest('hex');
      const { reconciliation } = await receive.receive(BANK, { survey, digest, sizeBytes: bytes.length, read: () => pieces(bytes) });
      return reconciliation.id;
    },
    closed: (id) =>
      until(async () => {
        const found = await store.find(id);
        return found?.closedAt ? found : undefined;
      }),
    factKinds: async () => {
      const rows = await fresh.database.query<{ kind: string }>('SELECT kind FROM facts WHERE shard = $1 ORDER BY seq', [shardOf(BANK)]);
      return rows.map(({ kind }) => kind);
    },
    close: async () => {
      await fresh.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const pieceBytes = 64 * 1024;

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

const UNTIL_TIMEOUT_MS = 55_000;

export async function until<T>(probe: () => Promise<T | undefined>, timeoutMs = UNTIL_TIMEOUT_MS): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Writes confirmed payments as decisions leaves them, as the schema's owner. */
export async function insertPayments(url: string, payments: readonly ConfirmedPayment[]): Promise<void> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  try {
    await owner.query(
      `INSERT INTO reservations (shard, reservation, subject, caller, service, state, currency, amount_minor, confirmed_minor, payment_reference,
              channel, counters, expires_at, confirmed_at)
       SELECT shard, reservation, reservation, 'test', 'checkout', 'CONFIRMED', currency, minor, minor, reference, channel, '{}', confirmed_at, confirmed_at
         FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[])
              AS p (shard, reservation, currency, minor, reference, channel, confirmed_at)`,
      [
        payments.map(({ reservation }) => reservation.shard),
        payments.map(({ reservation }) => reservation.uuid),
        payments.map(({ money }) => money.currency),
        payments.map(({ money }) => money.minor),
        payments.map(({ paymentReference }) => paymentReference),
        payments.map(({ channel }) => channel ?? null),
        payments.map(({ confirmedAt }) => confirmedAt),
      ],
    );
  } finally {
    await owner.end();
  }
}
