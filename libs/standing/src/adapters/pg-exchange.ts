import { PgConsentBook } from '#consents/adapters/pg-consent-book';
import { PgConsentLedger } from '#consents/adapters/pg-consent-ledger';
import { type ShardedId, shardOf } from '#kernel';
import { claimNonce } from '#partners/adapters/pg-nonce-book';
import { appendFacts, type Database, orLostReply, type Tx } from '#platform';
import type { Claim, RecordIdentity, WriteReceipt } from '#records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { Books, DueSubject, Exchange, HeldSubject } from '../store.js';
import { NameTaken, type TogetherBooks, type TogetherExchange } from '../together/together-books.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { type HeldJson, readHeld } from './held-subject.js';
import { PgAppealBook } from './pg-appeal-book.js';
import { PgDisputeBook } from './pg-dispute-book.js';
import { PgTogetherBooks } from './pg-together-books.js';
import { dueSubjects, markedSubjects, PgStandingBook, saveAccepted } from './pg-standing-book.js';

/** The exchange's books over one PostgreSQL transaction. */
export class PgExchange implements Exchange, TogetherExchange {
  /** `write`: for whoever accepts records, signs the receipts that were not asked for yet. */
  constructor(
    private readonly database: Database,
    private readonly write?: WriteReceipt,
  ) {}

  transaction<T>(work: (books: Books) => Promise<T>): Promise<T> {
    return againAfterDeadlock(() => this.database.transaction((tx) => work(booksOf(tx, this.write))));
  }

  async together<T>(work: (books: TogetherBooks) => Promise<T>): Promise<T> {
    try {
      return await againAfterDeadlock(() => this.database.transaction((tx) => work(new PgTogetherBooks(tx, this.write))));
    } catch (error) {
      if (error instanceof NameTaken) throw error;
      return await orLostReply(Promise.reject(error as Error));
    }
  }

  async due(at: Date, countMax: number): Promise<DueSubject[]> {
    const found = await markedSubjects(this.database, countMax);
    const marked = new Set(found.map(({ uuid }) => uuid));
    const due = found.length < countMax ? await dueSubjects(this.database, at, countMax - found.length) : [];
    return [...found, ...due.filter(({ uuid }) => !marked.has(uuid))];
  }
}

/** The books inside a transaction that is open already. */
export function booksOf(tx: Tx, write?: WriteReceipt): Books {
  return {
    consents: new PgConsentBook(tx),
    consentLedger: new PgConsentLedger(tx),
    records: new PgRecordBook(tx, write),
    standings: new PgStandingBook(tx),
    appeals: new PgAppealBook(tx),
    disputes: new PgDisputeBook(tx),
    facts: { append: (facts) => appendFacts(tx, facts) },
    claimNonce: (claim) => claimNonce(tx, claim),
    hold: (subject) => hold(tx, subject),
    meet: (identity) => meet(tx, identity),
    saveAccepted: (saving) => saveAccepted(tx, saving),
  };
}

async function hold(tx: Tx, { shard, uuid }: ShardedId): Promise<HeldSubject | undefined> {
  const [row] = await tx.query<{ held: HeldJson | null }>('SELECT hold_subject($1, NULL, $2) AS held', [shard, uuid], 'hold_subject');
  return row?.held ? readHeld(shard, row.held) : undefined;
}

type MetJson =
  | { readonly outcome: 'claimed'; readonly held: HeldJson | null }
  | { readonly outcome: 'known'; readonly payload_digest: string }
  | { readonly outcome: 'seq_used' };

async function meet(tx: Tx, { iss, jti, seq, payloadDigest, ref }: RecordIdentity) {
  const names = [shardOf(iss), iss, jti, seq, Buffer.from(payloadDigest), ref.shard, ref.uuid];
  const [row] = await tx.query<{ met: MetJson }>('SELECT hold_and_claim($1, $2, $3, $4, $5, $6, $7) AS met', names, 'hold_and_claim');
  const { met } = row!;
  if (met.outcome !== 'claimed') return { claim: claimOf(met), held: undefined };
  const held = met.held ? readHeld(ref.shard, met.held) : undefined;
  return { claim: { outcome: 'claimed' } as Claim, held };
}

function claimOf(met: Exclude<MetJson, { outcome: 'claimed' }>): Claim {
  return met.outcome === 'known' ? { outcome: 'known', payloadDigest: new Uint8Array(Buffer.from(met.payload_digest, 'hex')) } : met;
}
