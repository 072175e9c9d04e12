import { randomUUID } from 'node:crypto';
import { type Fact, type FactPosition, invariant, type ShardedId } from '#kernel';
import type { Tx } from '#platform';
import { FACT_KINDS } from '../reservation.js';
import { commitmentOf } from './pg-allowance-rows.js';

/** The end of an allowance's hold, told like that of any reservation: its fact, and what is kept beside it. */
export interface HoldEnd {
  readonly hold: ShardedId;
  readonly subject: ShardedId;
  readonly kind: 'confirm' | 'release';
  /** What was confirmed, or what was released. */
  readonly minor: bigint;
  readonly currency: string;
  readonly salt: string;
}

export function holdEnd(end: Omit<HoldEnd, 'salt'>): HoldEnd {
  return { ...end, salt: randomUUID() };
}

export function holdEndFact({ hold, subject, kind, minor, currency, salt }: HoldEnd): Fact {
  const content = { amountMinor: minor.toString(), currency, kind, reservation: hold.uuid };
  const body = { reservation: hold.uuid, commitment: commitmentOf(salt, content) };
  return { shard: hold.shard, kind: FACT_KINDS[kind], subject: subject.uuid, body };
}

/** After the fact: the step's row names its number. */
export async function saveHoldEnd(tx: Tx, { hold, kind, minor, salt }: HoldEnd, position: FactPosition | undefined): Promise<void> {
  invariant(position, 'the end of a hold has a fact');
  await tx.query(
    `INSERT INTO settlements (shard, reservation, kind, key, at, amount_minor, salt, seq) VALUES ($1, $2, $3, '', $4, $5, $6, $7)`,
    [hold.shard, hold.uuid, kind, position.at, minor, salt, position.seq],
  );
}
