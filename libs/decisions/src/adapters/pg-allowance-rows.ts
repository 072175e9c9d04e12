import { createHash } from 'node:crypto';
import { canonicalize } from '#evidence';
import { type FactValue, invariant, type Shard, type ShardedId } from '#kernel';
import type { SqlRunner, Tx } from '#platform';
import type { Allowance, AllowanceHold, AllowanceKnown } from '../allowance.js';
import type { UsageChange } from '../reservation.js';

interface StoredAllowance extends AllowanceHold {
  readonly shard: Shard;
  readonly allowance: string;
  readonly subject: string;
  readonly holder: string;
  readonly service: string;
  readonly counterparty: string | null;
  readonly channel: string | null;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly spendsAsked: number;
  readonly spendsMax: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly holdUntil: Date;
  readonly closedAt: Date | null;
  readonly spentMinor: bigint;
  readonly spends: bigint;
}

/** The head's time, its row locked: whoever holds it is alone on the shard. */
export async function takeHead(tx: Tx, shard: Shard): Promise<Date> {
  const [head] = await tx.query<{ at: Date }>(
    `SELECT greatest(date_trunc('milliseconds', clock_timestamp()), last_at) AS at FROM shard_heads WHERE shard = $1 FOR NO KEY UPDATE`,
    [shard],
  );
  invariant(head, `shard ${shard} has a head row`);
  return head.at;
}

export async function freeExpired(tx: Tx, { shard, uuid }: ShardedId, at: Date): Promise<void> {
  await tx.query('SELECT free_expired($1::smallint[], $2::uuid[], $3)', [[shard], [uuid], at]);
}

export async function findAllowance(runner: SqlRunner, { shard, uuid }: ShardedId): Promise<AllowanceKnown | undefined> {
  const [row] = await runner.query<StoredAllowance>(
    `SELECT a.shard, a.allowance, a.subject, a.holder, a.service, a.counterparty, a.channel, a.currency, a.amount_minor AS "amountMinor",
            a.spends_asked AS "spendsAsked", a.spends_max AS "spendsMax", a.issued_at AS "issuedAt", a.expires_at AS "expiresAt",
            a.hold_until AS "holdUntil", a.closed_at AS "closedAt", r.state, r.confirmed_minor AS "confirmedMinor", r.transactions,
            s.minor AS "spentMinor", s.spends
       FROM allowances a
       JOIN reservations r ON r.shard = a.shard AND r.reservation = a.allowance
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_minor), 0)::bigint AS minor, count(*) AS spends FROM allowance_spends s
         WHERE s.shard = a.shard AND s.allowance = a.allowance AND s.result <> 'REFUSED'
      ) s
      WHERE a.shard = $1 AND a.allowance = $2`,
    [shard, uuid],
  );
  return row && readAllowance(row);
}

function readAllowance(row: StoredAllowance): AllowanceKnown {
  const { shard, allowance: uuid, subject, currency, amountMinor, counterparty, channel, spentMinor, spends, closedAt } = row;
  const allowance: Allowance = {
    id: { shard, uuid },
    subject: { shard, uuid: subject },
    holder: row.holder,
    service: row.service,
    counterparty: counterparty ?? undefined,
    channel: channel ?? undefined,
    money: { minor: amountMinor, currency },
    spendsAsked: row.spendsAsked,
    spendsMax: row.spendsMax,
    issuedAt: row.issuedAt,
    expiresAt: row.expiresAt,
    holdUntil: row.holdUntil,
  };
  const { state, confirmedMinor, transactions } = row;
  const hold = { state, confirmedMinor, transactions };
  return { allowance, hold, closedAt: closedAt ?? undefined, spentMinor, spends: Number(spends) };
}

/** Moves usage in the windows the reservation was taken from, however long ago they were. A late part may find its window's row gone. */
export async function moveUsage(tx: Tx, { shard, uuid }: ShardedId, change: UsageChange): Promise<void> {
  const { usedMinor, reservedMinor, usedCount, reservedCount } = change;
  if (usedMinor === 0n && reservedMinor === 0n && usedCount === 0 && reservedCount === 0) return;
  await tx.query(
    `INSERT INTO usage AS u (shard, subject, counter, window_start, used_minor, reserved_minor, used_count, reserved_count)
     SELECT r.shard, r.subject, c.key, c.value::timestamptz, $3, greatest($4::bigint, 0), $5, greatest($6::integer, 0)
       FROM reservations r CROSS JOIN LATERAL json_each_text(r.counters) AS c
      WHERE r.shard = $1 AND r.reservation = $2
         ON CONFLICT (shard, subject, counter, window_start) DO UPDATE
        SET used_minor = u.used_minor + $3, reserved_minor = u.reserved_minor + $4::bigint,
            used_count = u.used_count + $5, reserved_count = u.reserved_count + $6::integer`,
    [shard, uuid, usedMinor, reservedMinor, usedCount, reservedCount],
  );
}

/** SHA-256(salt || canonical JSON), hex: what a fact says of content that is about a person. */
export function commitmentOf(salt: string, content: { readonly [name: string]: FactValue }): string {
  return createHash('sha256')
    .update(Buffer.from(salt.replaceAll('-', ''), 'hex'))
    .update(canonicalize(content))
    .digest('hex');
}
