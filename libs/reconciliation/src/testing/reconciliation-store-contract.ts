import { beforeEach, describe, expect, it } from 'vitest';
import { type Facts, shardOf } from '#kernel';
import type { IdentifiedLine } from '../match-lines.js';
import type { Outcome } from '../outcome.js';
import { LeaseLost, type NewReconciliation, type ReconciliationStore } from '../store.js';
import { BANK, sampleLine, samplePayment, sampleUuid } from './samples.js';

const LEASE_MS = 60_000;
const AT = new Date('2026-03-02T01:00:00Z');
const FACTS: Facts = [{ shard: shardOf(BANK), kind: 'test.happened', participant: BANK, body: {} }];
const FILE = [new Uint8Array([1, 2]), new Uint8Array([3])];

let made = 0;

function incoming(change: Partial<NewReconciliation> = {}): NewReconciliation {
  made++;
  return {
    id: { shard: shardOf(BANK), uuid: sampleUuid(1_000 + made) },
    participant: BANK,
    digest: made.toString(16).padStart(64, '0'),
    sizeBytes: 3,
    receivedAt: AT,
    statements: [
      {
        head: {
          position: 1,
          id: 'STM-1',
          from: { day: '2026-03-01', instant: AT },
          balances: [{ code: 'OPBD', minor: -5n, currency: 'CNY', on: { day: '2026-03-01' } }],
          summary: { entries: 3 },
        },
        totals: { balanced: undefined, reason: 'no closing balance' },
      },
    ],
    entries: 3,
    linesTotal: 3,
    ...change,
  };
}

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield* FILE;
}

function line(n: number, reference?: string): IdentifiedLine {
  const { references: _none, ...booked } = sampleLine(n, reference === undefined ? {} : { endToEndId: reference });
  return reference === undefined ? { line: booked } : { line: booked, reference: { kind: 'end_to_end_id', value: reference } };
}

function outcome(n: number, kind: Outcome['kind'], payment?: number): Outcome {
  return {
    n,
    line: n,
    kind,
    reason: `${kind} it is`,
    ...(payment === undefined ? {} : { payment: samplePayment(payment), identifiedBy: 'end_to_end_id' }),
  };
}

/** What every reconciliation store promises. `make` gives an empty one. */
export function reconciliationStoreContract(make: () => Promise<{ store: ReconciliationStore; factsSaved: () => Promise<number> }>): void {
  let store: ReconciliationStore;
  let factsSaved: () => Promise<number>;
  beforeEach(async () => {
    ({ store, factsSaved } = await make());
  });

  const received = async (change?: Partial<NewReconciliation>) => (await store.receive(incoming(change), bytes(), FACTS)).reconciliation;
  const leased = async (change?: Partial<NewReconciliation>) => {
    const { id } = await received(change);
    return (await store.lease(id, LEASE_MS))!.lease;
  };

  describe('a file', () => {
    it('is kept as received, with its heads, its fact and its bytes', async () => {
      const file = incoming();
      const { reconciliation, repeated } = await store.receive(file, bytes(), FACTS);
      const { linesTotal, ...kept } = file;
      expect(repeated).toBe(false);
      expect(reconciliation).toEqual({ ...kept, state: 'RECEIVED', counts: {}, progress: { linesTotal, linesRead: 0, linesMatched: 0 } });
      expect(await store.find(file.id)).toEqual(reconciliation);
      const read: number[] = [];
      for await (const chunk of store.readBytes(file.id)) read.push(...chunk);
      expect(read).toEqual([1, 2, 3]);
      expect(await factsSaved()).toBe(1);
    });

    it('sent again answers the first, also at the same time, and adds no fact', async () => {
      const digest = 'ab'.repeat(32);
      const answers = await Promise.all([1, 2, 3, 4].map(() => store.receive(incoming({ digest }), bytes(), FACTS)));
      expect(new Set(answers.map(({ reconciliation }) => reconciliation.id.uuid)).size).toBe(1);
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
      expect(await factsSaved()).toBe(1);
    });

    it('of another participant is another file', async () => {
      const digest = 'cd'.repeat(32);
      const other = { digest, participant: 'bank-b', id: { shard: shardOf('bank-b'), uuid: sampleUuid(9_999) } };
      expect((await received({ digest })).id).not.toEqual((await received(other)).id);
    });

    it('that nobody sent is not found', async () => {
      expect(await store.find({ shard: shardOf(BANK), uuid: sampleUuid(1) })).toBeUndefined();
    });
  });

  describe('a lease', () => {
    it('is held by one, and again free when it ran out or was given back', async () => {
      const { id } = await received();
      expect(await store.outstanding(10)).toEqual([{ id, epoch: 0 }]);
      const first = (await store.lease(id, LEASE_MS))!.lease;
      expect(await store.lease(id, LEASE_MS)).toBeUndefined();
      expect(await store.outstanding(10)).toEqual([]);
      await store.release(first, 0);
      expect(await store.outstanding(10)).toEqual([{ id, epoch: 1 }]);
      expect((await store.lease(id, LEASE_MS))?.lease.epoch).toBe(2);
    });

    it('that was taken over writes nothing more', async () => {
      const stale = await leased();
      await store.release(stale, 0);
      const { lease } = (await store.lease(stale.id, LEASE_MS))!;
      const end = { state: 'BALANCED', missing: [], counts: {}, closedAt: AT } as const;
      await expect(store.saveLines(stale, [line(1)], true, LEASE_MS)).rejects.toBeInstanceOf(LeaseLost);
      await expect(store.saveOutcomes(stale, [outcome(1, 'MISSING_OURS')], LEASE_MS)).rejects.toBeInstanceOf(LeaseLost);
      await expect(store.close(stale, end, FACTS)).rejects.toBeInstanceOf(LeaseLost);
      await store.release(stale, 0);
      expect(await store.lease(lease.id, LEASE_MS)).toBeUndefined();
      expect((await store.find(stale.id))?.progress.linesRead).toBe(0);
    });
  });

  describe('the work', () => {
    it('keeps progress with every page, and the lines of one reference together', async () => {
      const lease = await leased();
      await store.saveLines(lease, [line(1, 'P-1'), line(2)], false, LEASE_MS);
      expect(await store.find(lease.id)).toMatchObject({ state: 'RECEIVED', progress: { linesRead: 2 } });
      await store.saveLines(lease, [line(3, 'P-1')], true, LEASE_MS);
      expect(await store.find(lease.id)).toMatchObject({ state: 'PARSED', progress: { linesRead: 3 } });
      const pages: number[][] = [];
      for (let page = await store.nextLines(lease, 1); page.length > 0; page = await store.nextLines(lease, 1)) {
        pages.push(page.map((identified) => identified.line.n));
        await store.saveOutcomes(
          lease,
          page.map(({ line: { n } }) => outcome(n, 'MISSING_OURS')),
          LEASE_MS,
        );
      }
      expect(pages.toSorted()).toEqual([[1, 3], [2]]);
      expect(await store.find(lease.id)).toMatchObject({ state: 'MATCHING', progress: { linesMatched: 3 } });
    });

    it('gives lines back as they were saved', async () => {
      const lease = await leased();
      const lines = [line(1, 'P-1'), line(2), { line: { ...line(3).line, bookedOn: { day: '2026-03-01', instant: AT }, reversal: true } }];
      await store.saveLines(lease, lines, true, LEASE_MS);
      const page = await store.nextLines(lease, 10);
      expect(page.toSorted((a, b) => a.line.n - b.line.n)).toEqual(lines);
    });

    it('ends once, with counts, missing payments and a fact', async () => {
      const lease = await leased();
      await store.saveLines(lease, [line(1, 'P-1'), line(2), line(3, 'P-3')], true, LEASE_MS);
      await store.saveOutcomes(lease, [outcome(1, 'MATCHED', 1), outcome(2, 'MISSING_OURS'), outcome(3, 'DUPLICATE', 3)], LEASE_MS);
      expect(await store.countOutcomes(lease.id)).toEqual({ DUPLICATE: 1, MATCHED: 1, MISSING_OURS: 1 });
      const missing: Outcome = { n: 4, kind: 'MISSING_THEIRS', reason: 'not there', payment: samplePayment(4) };
      const end = { state: 'BROKEN', missing: [missing], counts: { MATCHED: 1, MISSING_THEIRS: 1 }, closedAt: AT } as const;
      await store.close(lease, end, FACTS);
      expect(await store.find(lease.id)).toMatchObject({ state: 'BROKEN', counts: end.counts, closedAt: AT });
      await expect(store.close(lease, end, FACTS)).rejects.toBeInstanceOf(LeaseLost);
      expect(await store.outstanding(10)).toEqual([]);
      expect(await factsSaved()).toBe(2);
      const breaks = await store.outcomes(lease.id, 'breaks', 0, 2);
      expect(breaks.map(({ n, kind, line: about }) => [n, kind, about?.n])).toEqual([
        [2, 'MISSING_OURS', 2],
        [3, 'DUPLICATE', 3],
      ]);
      expect((await store.outcomes(lease.id, 'breaks', 3, 2)).map(({ n, payment }) => [n, payment?.paymentReference])).toEqual([
        [4, 'P-4'],
      ]);
      const [match] = await store.outcomes(lease.id, 'matches', 0, 10);
      const { reservation, decision, paymentReference, money, confirmedAt } = samplePayment(1);
      expect(match).toMatchObject({
        n: 1,
        identifiedBy: 'end_to_end_id',
        payment: { reservation, decision, paymentReference, money, confirmedAt },
      });
    });

    it('knows which payments earlier statements took; a duplicate or a missing payment takes none', async () => {
      const lease = await leased();
      await store.saveLines(lease, [line(1, 'P-1'), line(2, 'P-2')], true, LEASE_MS);
      await store.saveOutcomes(lease, [outcome(1, 'UNDER_AMOUNT', 1), outcome(2, 'DUPLICATE', 2)], LEASE_MS);
      await store.close(
        lease,
        {
          state: 'BROKEN',
          missing: [{ n: 3, kind: 'MISSING_THEIRS', reason: 'not there', payment: samplePayment(3) }],
          counts: {},
          closedAt: AT,
        },
        FACTS,
      );
      const { id } = await received();
      const asked = [1, 2, 3, 4].map((n) => sampleUuid(n));
      expect(await store.takenPayments(id, asked)).toEqual(new Map([[sampleUuid(1), lease.id.uuid]]));
    });
  });
}
