import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canonicalize } from '#evidence';
import { parseId, Refusal, type ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { keyReused, reservationUnknown } from '../codes.js';
import { type Reservation, type Settlement, settleReservation } from '../reservation.js';
import type { SettlementAsk } from '../settle.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';
import { PgReservations } from './pg-reservations.js';

const CALLER = 'checkout-service';
const RUNS = 40;

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveDecider>>;
let store: PgReservations;

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  live = await liveDecider(fresh.database);
  store = new PgReservations(fresh.database);
});
afterAll(() => fresh.close());

const money = fc.option(
  fc.record({
    minor: fc.constantFrom(1n, 40n, 60n, 100n, 101n),
    currency: fc.constantFrom('CNY', 'CNY', 'CNY', 'CNY', 'CNY', 'CNY', 'CNY', 'EUR'),
  }),
  { nil: undefined },
);
const settlement: fc.Arbitrary<Settlement> = fc.oneof(
  fc.record({ kind: fc.constant('confirm' as const), money }),
  fc.record({ kind: fc.constant('release' as const) }),
  fc.record({ kind: fc.constant('refund' as const), money }),
);
const step = fc.record({
  which: fc.nat(2),
  settlement,
  key: fc.constantFrom('refund-1', 'refund-2', 'refund-3'),
  caller: fc.constantFrom(CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, 'somebody-else'),
});
const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });

it('judges any sequence of steps as settleReservation does, and counts what it moves', async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.nat(2), async (steps, expired) => {
      const subject = (await addSubjects(fresh.database, 1))[0]!;
      const known = await Promise.all([0, 1, 2].map(() => reserve(subject)));
      await runOut(known[expired]!.id);
      known[expired] = { ...known[expired]!, expiresAt: new Date(0) };
      const model = new Model(known);
      for (const batch of steps) {
        const asks = batch.map(({ which, ...ask }): SettlementAsk => ({ ...ask, reservation: known[which]!.id }));
        expect((await store.settle(asks)).map(told)).toEqual(asks.map((ask) => told(model.take(ask))));
      }
      expect(await usageOf(subject)).toEqual(model.usage());
    }),
    { numRuns: RUNS },
  );
});

it('leaves a fact that commits to what was moved, numbered without a gap', async () => {
  const subject = (await addSubjects(fresh.database, 1))[0]!;
  const { id } = await reserve(subject);
  await store.settle([{ caller: CALLER, reservation: id, settlement: { kind: 'confirm', money: undefined }, key: undefined }]);
  const [row] = await fresh.database.query<{ salt: string; seq: bigint; body: string; kind: string; last: bigint }>(
    `SELECT s.salt, s.seq, f.body, f.kind, h.last_seq AS last FROM settlements s
       JOIN facts f ON f.shard = s.shard AND f.seq = s.seq JOIN shard_heads h ON h.shard = s.shard WHERE s.shard = $1 AND s.reservation = $2`,
    [id.shard, id.uuid],
  );
  const content = { amountMinor: '100', currency: 'CNY', kind: 'confirm', reservation: id.uuid };
  const commitment = createHash('sha256')
    .update(Buffer.from(row!.salt.replaceAll('-', ''), 'hex'))
    .update(canonicalize(content));
  expect(row).toMatchObject({
    kind: 'reservation.confirmed',
    body: canonicalize({ commitment: commitment.digest('hex'), reservation: id.uuid }),
  });
  expect(row!.seq).toBe(row!.last);
});

async function reserve(subject: ShardedId): Promise<Reservation> {
  const request = requestOf(subject, { minor: 100n });
  const { answer } = await live.decider.decide({ caller: CALLER, key: randomUUID(), request });
  return (await store.find(parseId('rsv', answer.reservation!.id)))!;
}

async function runOut({ shard, uuid }: ShardedId): Promise<void> {
  await fresh.database.query(`UPDATE reservations SET expires_at = 'epoch' WHERE shard = $1 AND reservation = $2`, [shard, uuid]);
}

async function usageOf({ shard, uuid }: ShardedId) {
  const [row] = await fresh.database.query(
    `SELECT used_minor AS used, reserved_minor AS reserved, used_count AS "usedCount", reserved_count AS "reservedCount"
       FROM usage WHERE shard = $1 AND subject = $2 AND counter LIKE 'all-day%'`,
    [shard, uuid],
  );
  return row;
}

/** The same steps taken by the rule in words, one after the other. */
class Model {
  private readonly known: Map<string, Reservation>;
  private readonly refunds = new Map<string, bigint>();
  private totals: { used: bigint; reserved: bigint; usedCount: bigint; reservedCount: bigint };

  constructor(reservations: readonly Reservation[]) {
    this.known = new Map(reservations.map((reservation) => [reservation.id.uuid, reservation]));
    const count = BigInt(reservations.length);
    this.totals = { used: 0n, reserved: count * 100n, usedCount: 0n, reservedCount: count };
  }

  take({ caller, reservation: { uuid }, settlement: asked, key }: SettlementAsk) {
    const known = this.known.get(uuid)!;
    if (known.caller !== caller) return reservationUnknown();
    const before = asked.kind === 'refund' ? this.refunds.get(`${uuid} ${key}`) : undefined;
    if (asked.kind === 'refund' && before !== undefined) {
      return asked.money && asked.money.minor !== before ? keyReused() : { reservation: known, replayed: true };
    }
    try {
      const { next, change, movedMinor } = settleReservation(known, asked, new Date());
      this.known.set(uuid, next);
      if (asked.kind === 'refund' && movedMinor !== undefined) this.refunds.set(`${uuid} ${key}`, movedMinor);
      const { used, reserved, usedCount, reservedCount } = this.totals;
      this.totals = {
        used: used + change.usedMinor,
        reserved: reserved + change.reservedMinor,
        usedCount: usedCount + BigInt(change.usedCount),
        reservedCount: reservedCount + BigInt(change.reservedCount),
      };
      return { reservation: next, replayed: movedMinor === undefined };
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  usage() {
    return this.totals;
  }
}

function told(result: Refusal | { readonly reservation: Reservation; readonly replayed: boolean }) {
  if (result instanceof Refusal) return { code: result.code, detail: result.detail };
  const { state, confirmedMinor, refundedMinor, amountMinor } = result.reservation;
  return { state, confirmedMinor, refundedMinor, amountMinor, replayed: result.replayed };
}
