import { createHash, randomUUID } from 'node:crypto';
import { canonicalize } from '#evidence';
import { type Fact, type Facts, invariant, Refusal, type Shard, type ShardedId } from '#kernel';
import { appendFacts, type Database, type SqlRunner, type Tx } from '#platform';
import { keyReused, reservationUnknown } from '../codes.js';
import { FACT_KINDS, type Reservation, settleReservation, type Step } from '../reservation.js';
import type { SettlementAsk } from '../settle.js';
import type { ReservationStore, SettlementResult } from '../store.js';
import { int2Array, int4Array, int8Array, textArray, uuidArray } from './binary-arrays.js';
import { orLostReply } from './pg-failure.js';

interface Taken {
  readonly ask: SettlementAsk;
  readonly step: Step;
  readonly movedMinor: bigint;
  readonly salt: string;
}

type StoredReservation = Omit<Reservation, 'id' | 'subject'> & {
  readonly shard: Shard;
  readonly reservation: string;
  readonly subject: string;
};

const SELECT = `SELECT r.shard, r.reservation, r.subject, r.caller, r.state, r.currency, r.amount_minor AS "amountMinor",
  r.confirmed_minor AS "confirmedMinor", r.refunded_minor AS "refundedMinor", r.expires_at AS "expiresAt" FROM reservations r`;

/** Reservations after their decision. A batch of steps is one transaction under the heads of its shards, in ascending order. */
export class PgReservations implements ReservationStore {
  constructor(private readonly database: Database) {}

  async settle(asks: readonly SettlementAsk[]): Promise<readonly SettlementResult[]> {
    return await orLostReply(this.database.transaction((tx) => settleAll(tx, asks)));
  }

  async find(id: ShardedId): Promise<Reservation | undefined> {
    const [row] = await this.database.query<StoredReservation>(`${SELECT} WHERE r.shard = $1 AND r.reservation = $2`, [id.shard, id.uuid]);
    return row && readReservation(row);
  }
}

async function settleAll(tx: Tx, asks: readonly SettlementAsk[]): Promise<SettlementResult[]> {
  const at = await takeHeads(tx, asks);
  const known = await load(tx, asks);
  const refunds = await loadRefunds(tx, asks);
  const taken: Taken[] = [];
  const results = asks.map((ask): SettlementResult => {
    const reservation = known.get(ask.reservation.uuid);
    if (!reservation || reservation.caller !== ask.caller) return reservationUnknown();
    const step = takeStep(ask, reservation, refunds, at);
    if (step instanceof Refusal) return step;
    if (step.movedMinor !== undefined) {
      taken.push({ ask, step, movedMinor: step.movedMinor, salt: randomUUID() });
      known.set(ask.reservation.uuid, step.next);
    }
    return { reservation: step.next, replayed: step.movedMinor === undefined };
  });
  if (taken.length > 0) await save(tx, taken, at);
  return results;
}

/** A refund is known by its key; the other steps by the state they lead to. */
function takeStep(ask: SettlementAsk, known: Reservation, refunds: Map<string, bigint>, at: Date): Step | Refusal {
  const { settlement, key } = ask;
  const name = `${ask.reservation.uuid} ${key}`;
  try {
    const before = settlement.kind === 'refund' ? refunds.get(name) : undefined;
    if (settlement.kind === 'refund' && before !== undefined) {
      if (settlement.money && settlement.money.minor !== before) throw keyReused();
      return { next: known, change: { usedMinor: 0n, reservedMinor: 0n, usedCount: 0, reservedCount: 0 }, movedMinor: undefined };
    }
    const step = settleReservation(known, settlement, at);
    if (settlement.kind === 'refund' && step.movedMinor !== undefined) refunds.set(name, step.movedMinor);
    return step;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** The heads' time: no process's clock decides whether a hold ran out. */
async function takeHeads(tx: Tx, asks: readonly SettlementAsk[]): Promise<Date> {
  const [head] = await tx.query<{ at: Date | null }>(
    `SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(h.last_at)) AS at
       FROM (SELECT last_at FROM shard_heads WHERE shard = ANY ($1::smallint[]) ORDER BY shard FOR NO KEY UPDATE) h`,
    [int2Array([...new Set(asks.map(({ reservation }) => reservation.shard))])],
  );
  invariant(head?.at, 'the shards have heads');
  return head.at;
}

async function load(tx: SqlRunner, asks: readonly SettlementAsk[]): Promise<Map<string, Reservation>> {
  const rows = await tx.query<StoredReservation>(
    `${SELECT} JOIN unnest($1::smallint[], $2::uuid[]) AS i (shard, reservation) ON r.shard = i.shard AND r.reservation = i.reservation`,
    ids(asks),
  );
  return new Map(rows.map((row) => [row.reservation, readReservation(row)]));
}

async function loadRefunds(tx: SqlRunner, asks: readonly SettlementAsk[]): Promise<Map<string, bigint>> {
  const refunds = asks.filter(({ settlement }) => settlement.kind === 'refund');
  if (refunds.length === 0) return new Map();
  const rows = await tx.query<{ reservation: string; key: string; minor: bigint }>(
    `SELECT s.reservation, s.key, s.amount_minor AS minor
       FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS i (shard, reservation, key)
       JOIN settlements s ON s.shard = i.shard AND s.reservation = i.reservation AND s.kind = 'refund' AND s.key = i.key`,
    [...ids(refunds), textArray(refunds.map(({ key }) => key))],
  );
  return new Map(rows.map(({ reservation, key, minor }) => [`${reservation} ${key}`, minor]));
}

async function save(tx: Tx, taken: readonly Taken[], at: Date): Promise<void> {
  await saveReservations(tx, taken, at);
  await saveUsage(tx, taken);
  const positions = await appendFacts(tx, taken.map(factOf) as unknown as Facts);
  await tx.query(
    `INSERT INTO settlements (shard, reservation, kind, key, at, amount_minor, salt, seq)
     SELECT shard, reservation, kind, key, $1, minor, salt, seq
       FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::bigint[])
            AS i (shard, reservation, kind, key, minor, salt, seq)`,
    [
      at,
      ...ids(taken.map(({ ask }) => ask)),
      textArray(taken.map(({ ask }) => ask.settlement.kind)),
      textArray(taken.map(({ ask }) => (ask.settlement.kind === 'refund' ? ask.key : ''))),
      int8Array(taken.map(({ movedMinor }) => movedMinor)),
      uuidArray(taken.map(({ salt }) => salt)),
      int8Array(positions.map(({ seq }) => seq)),
    ],
  );
}

async function saveReservations(tx: Tx, taken: readonly Taken[], at: Date): Promise<void> {
  const last = [...new Map(taken.map(({ step: { next } }) => [next.id.uuid, next])).values()];
  await tx.query(
    `UPDATE reservations r
        SET state = i.state, confirmed_minor = i.confirmed, refunded_minor = i.refunded,
            confirmed_at = CASE WHEN i.state = 'CONFIRMED' THEN coalesce(r.confirmed_at, $1) END
       FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[]) AS i (shard, reservation, state, confirmed, refunded)
      WHERE r.shard = i.shard AND r.reservation = i.reservation`,
    [
      at,
      int2Array(last.map(({ id }) => id.shard)),
      uuidArray(last.map(({ id }) => id.uuid)),
      textArray(last.map(({ state }) => state)),
      int8Array(last.map(({ confirmedMinor }) => confirmedMinor)),
      int8Array(last.map(({ refundedMinor }) => refundedMinor)),
    ],
  );
}

/** Usage moves in the windows of the reservation, however long ago they were. */
async function saveUsage(tx: Tx, taken: readonly Taken[]): Promise<void> {
  await tx.query(
    `UPDATE usage u
        SET used_minor = u.used_minor + m.used, reserved_minor = u.reserved_minor + m.reserved,
            used_count = u.used_count + m.used_count, reserved_count = u.reserved_count + m.reserved_count
       FROM (SELECT r.shard, r.subject, c.key AS counter, c.value::timestamptz AS window_start, sum(i.used)::bigint AS used,
                    sum(i.reserved)::bigint AS reserved, sum(i.used_count) AS used_count, sum(i.reserved_count) AS reserved_count
               FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[])
                    AS i (shard, reservation, used, reserved, used_count, reserved_count)
               JOIN reservations r ON r.shard = i.shard AND r.reservation = i.reservation
              CROSS JOIN LATERAL json_each_text(r.counters) AS c
              GROUP BY r.shard, r.subject, c.key, c.value) m
      WHERE u.shard = m.shard AND u.subject = m.subject AND u.counter = m.counter AND u.window_start = m.window_start`,
    [
      ...ids(taken.map(({ ask }) => ask)),
      int8Array(taken.map(({ step }) => step.change.usedMinor)),
      int8Array(taken.map(({ step }) => step.change.reservedMinor)),
      int4Array(taken.map(({ step }) => step.change.usedCount)),
      int4Array(taken.map(({ step }) => step.change.reservedCount)),
    ],
  );
}

/** The amount is about a person: the fact commits to it, the row keeps it. */
function factOf({ ask: { settlement }, step: { next }, movedMinor, salt }: Taken): Fact {
  const content = { amountMinor: movedMinor.toString(), currency: next.currency, kind: settlement.kind, reservation: next.id.uuid };
  const commitment = createHash('sha256')
    .update(Buffer.from(salt.replaceAll('-', ''), 'hex'))
    .update(canonicalize(content))
    .digest('hex');
  const body = { reservation: next.id.uuid, commitment };
  return { shard: next.id.shard, kind: FACT_KINDS[settlement.kind], subject: next.subject.uuid, body };
}

function ids(asks: readonly SettlementAsk[]): [Buffer, Buffer] {
  return [int2Array(asks.map(({ reservation }) => reservation.shard)), uuidArray(asks.map(({ reservation }) => reservation.uuid))];
}

function readReservation({ shard, reservation, subject, ...row }: StoredReservation): Reservation {
  return { ...row, id: { shard, uuid: reservation }, subject: { shard, uuid: subject } };
}
