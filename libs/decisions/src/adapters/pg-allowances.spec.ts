import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, parseId, type ShardedId } from '#kernel';
import { Database } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { type Allowance, allowanceState } from '../allowance.js';
import type { SpendReport } from '../allowance-spend.js';
import type { AllowanceAsk } from '../allowances.js';
import { liveAllowances } from '../testing/live-allowances.js';
import { requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';
import { PgPaymentFinder } from './pg-payment-finder.js';

const TERMS = { secondsMax: 600, graceSeconds: 3_600 };
const HOLDER = 'checkout-service';

let fresh: FreshDatabase;
let live: Awaited<ReturnType<typeof liveAllowances>>;

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  live = await liveAllowances(fresh.database, TERMS);
});
afterAll(() => fresh.close());

const newSubject = async (score?: number) => (await addSubjects(fresh.database, 1, score))[0]!;

function ask(subject: ShardedId, change: Partial<AllowanceAsk> & { minor?: bigint; service?: string } = {}): AllowanceAsk {
  const { minor = 50_000n, service = 'checkout', ...rest } = change;
  const request = { subject, service, money: { minor, currency: 'CNY' }, counterparty: undefined, channel: 'bank-a' };
  return { holder: HOLDER, key: randomUUID(), request, spends: 5, seconds: 60, ...rest };
}

async function granted(subject: ShardedId, change: Parameters<typeof ask>[1] = {}): Promise<Allowance> {
  return (await live.allowances.issue(ask(subject, change))).allowance!;
}

const spend = (minor: bigint, paymentReference: string = randomUUID().slice(0, 30)): SpendReport => ({
  ...{ paymentReference, minor, at: new Date() },
});

const settle = (allowance: Allowance, reports: SpendReport[], more: { close?: boolean; holder?: string; currency?: string } = {}) =>
  live.allowances.settle({ allowance: allowance.id, holder: HOLDER, currency: 'CNY', close: false, reports, ...more });

interface Counters {
  readonly used: bigint;
  readonly reserved: bigint;
  readonly usedCount: bigint;
  readonly reservedCount: bigint;
}

async function usage({ shard, uuid }: ShardedId, counter = 'checkout-day'): Promise<Counters> {
  const [row] = await fresh.database.query<Counters>(
    `SELECT used_minor AS used, reserved_minor AS reserved, used_count AS "usedCount", reserved_count AS "reservedCount"
       FROM usage WHERE shard = $1 AND subject = $2 AND counter LIKE $3`,
    [shard, uuid, `${counter}%`],
  );
  return row ?? { used: 0n, reserved: 0n, usedCount: 0n, reservedCount: 0n };
}

/** As if its grace had passed. */
async function runOut({ id }: Allowance): Promise<void> {
  const long = `now() - interval '1 second'`;
  await fresh.database.query(`UPDATE reservations SET expires_at = ${long} WHERE shard = $1 AND reservation = $2`, [id.shard, id.uuid]);
}

const kinds = async ({ shard, uuid }: ShardedId) =>
  (
    await fresh.database.query<{ kind: string }>('SELECT kind FROM facts WHERE shard = $1 AND subject = $2 ORDER BY seq', [shard, uuid])
  ).map(({ kind }) => kind);

describe('issuing', () => {
  it('holds the amount and a transaction for every part, and tells a fact', async () => {
    const subject = await newSubject();
    const allowance = await granted(subject);
    expect(allowance).toMatchObject({ holder: HOLDER, spendsMax: 5, money: { minor: 50_000n } });
    expect(allowance.expiresAt.getTime() - allowance.issuedAt.getTime()).toBe(60_000);
    expect(allowance.holdUntil.getTime() - allowance.expiresAt.getTime()).toBe(3_600_000);
    expect(await usage(subject)).toEqual({ used: 0n, reserved: 50_000n, usedCount: 0n, reservedCount: 5n });
    expect(await kinds(subject)).toEqual(['allowance.issued']);
  });

  it('gives the same allowance for the same key, also after a crash between decision and allowance, and from two processes at once', async () => {
    const subject = await newSubject();
    const mine = ask(subject);
    let passed = 0;
    // The decision commits in one statement of its own; the first transaction is the opening, and it does not come to its commit.
    const dying = await Database.open(fresh.url, 4, (point) => {
      if (point === 'commit.before' && passed++ === 0) throw new Error('killed');
    });
    const victim = await liveAllowances(dying, TERMS);
    await expect(victim.allowances.issue(mine)).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(await usage(subject)).toMatchObject({ reserved: 50_000n, reservedCount: 1n });
    const other = await liveAllowances(fresh.database, TERMS);
    const [a, b] = await Promise.all([live.allowances.issue(mine), other.allowances.issue(mine)]);
    expect(a.allowance).toBeDefined();
    expect(b.allowance).toEqual(a.allowance);
    expect(await usage(subject)).toEqual({ used: 0n, reserved: 50_000n, usedCount: 0n, reservedCount: 5n });
    await expect(live.allowances.issue({ ...mine, spends: 4 })).rejects.toMatchObject({ code: 'idempotency.key_reused' });
    await dying.close();
  });

  it('grants fewer parts where the count limit leaves fewer, and none where the amount has no room', async () => {
    const subject = await newSubject();
    for (let i = 0; i < 17; i++)
      await live.decider.decide({ caller: HOLDER, key: randomUUID(), request: requestOf(subject, { minor: 1n }) });
    expect((await granted(subject)).spendsMax).toBe(3);
    const full = await live.allowances.issue(ask(subject, { minor: 1_000n }));
    expect(full.allowance).toBeUndefined();
    expect(full.decided.answer).toMatchObject({ outcome: 'DENY', reasons: [{ code: 'limit.exceeded' }, {}] });
  });

  it('is refused by policy and restriction as any decision; REVIEW holds nothing', async () => {
    const subject = await newSubject();
    const review = await live.allowances.issue(ask(subject, { minor: 150_001n }));
    expect(review).toMatchObject({ allowance: undefined, decided: { answer: { outcome: 'REVIEW' } } });
    expect(await usage(subject)).toMatchObject({ reserved: 0n, reservedCount: 0n });
    const poor = await newSubject(500);
    expect((await live.allowances.issue(ask(poor, { service: 'pay-later' }))).decided.answer.outcome).toBe('DENY');
    await expect(live.allowances.issue(ask(subject, { seconds: 601 }))).rejects.toMatchObject({ code: 'allowance.too_long' });
    await expect(live.allowances.issue(ask(subject, { minor: 4n }))).rejects.toMatchObject({ code: 'allowance.too_fine' });
  });

  it('is not renewed once standing or policy says no, and the one that is out stays within what was reserved', async () => {
    const subject = await newSubject();
    const first = ask(subject, { service: 'pay-later' });
    const { allowance } = await live.allowances.issue(first);
    const fallen = 'UPDATE standings SET score = 500, version = version + 1 WHERE shard = $1 AND subject = $2';
    await fresh.database.query(fallen, [subject.shard, subject.uuid]);
    expect((await live.allowances.issue(ask(subject, { service: 'pay-later' }))).decided.answer).toMatchObject({ outcome: 'DENY' });
    expect((await live.allowances.issue(first)).allowance).toEqual(allowance);
    const settled = await settle(allowance!, [spend(50_000n), spend(1n)]);
    expect(settled.results.map(({ result }) => result)).toEqual(['SETTLED', 'REFUSED']);
  });

  it('answers to nobody as a plain reservation', async () => {
    const allowance = await granted(await newSubject());
    const step = { caller: HOLDER, reservation: allowance.id, key: undefined };
    for (const settlement of [{ kind: 'release' }, { kind: 'confirm', money: undefined }] as const) {
      await expect(live.settler.settle({ ...step, settlement })).rejects.toMatchObject({ code: 'reservation.unknown' });
    }
  });
});

describe('settling', () => {
  it('confirms each part once, frees the rest at close, and lets reconciliation and refunds find the parts', async () => {
    const subject = await newSubject();
    const allowance = await granted(subject);
    const parts = [spend(20_000n), { ...spend(5_000n), at: new Date(Date.now() + 1) }];
    const first = await settle(allowance, parts);
    expect(first.results.map(({ result }) => result)).toEqual(['SETTLED', 'SETTLED']);
    expect(await usage(subject)).toEqual({ used: 25_000n, reserved: 25_000n, usedCount: 2n, reservedCount: 3n });
    const again = await settle(allowance, [...parts].reverse(), { close: true });
    expect(again.added).toEqual([]);
    expect(allowanceState(again.known, again.at)).toBe('CLOSED');
    expect(await usage(subject)).toEqual({ used: 25_000n, reserved: 0n, usedCount: 2n, reservedCount: 0n });
    expect(await usage(subject, 'all-day')).toMatchObject({ used: 25_000n, reserved: 0n });

    const finder = new PgPaymentFinder(fresh.database);
    const found = await finder.findByReferences(parts.map(({ paymentReference }) => paymentReference));
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ service: 'checkout', channel: 'bank-a', decision: allowance.id, subject, money: { minor: 20_000n } });
    const expected = await finder.findExpected('bank-a', allowance.issuedAt, new Date(Date.now() + 60_000));
    const mine = expected.filter(({ decision }) => decision.uuid === allowance.id.uuid);
    expect(mine.map(({ paymentReference }) => paymentReference)).toEqual(parts.map(({ paymentReference }) => paymentReference));

    const refund = { kind: 'refund', money: { minor: 5_000n, currency: 'CNY' } } as const;
    await live.settler.settle({ caller: HOLDER, reservation: again.results[0]!.reservation!, settlement: refund, key: 'refund-0001' });
    expect(await usage(subject)).toMatchObject({ used: 20_000n, usedCount: 1n });
    expect(await kinds(subject)).toEqual([
      ...['allowance.issued', 'allowance.spent', 'allowance.spent', 'reservation.confirmed', 'allowance.closed', 'reservation.refunded'],
    ]);
  });

  it('is one effect, whoever reports at once and whatever dies between', async () => {
    const subject = await newSubject();
    const allowance = await granted(subject);
    const parts = [spend(10_000n), spend(10_000n), spend(10_000n)];
    const report = { allowance: allowance.id, holder: HOLDER, currency: 'CNY', close: false, reports: parts };
    let alive = 3;
    const dying = await Database.open(fresh.url, 2, (point) => {
      if (point === 'statement.after' && alive-- <= 0) throw new Error('killed');
    });
    const victim = await liveAllowances(fresh.database, TERMS);
    const { PgAllowances } = await import('./pg-allowances.js');
    await expect(new PgAllowances(dying).settle(report)).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(await usage(subject)).toMatchObject({ used: 0n, reserved: 50_000n });
    const all = await Promise.all([settle(allowance, parts), victim.allowances.settle(report), settle(allowance, parts, { close: true })]);
    const reservations = all.map(({ results }) => results.map(({ reservation }) => reservation!.uuid));
    expect(reservations[1]).toEqual(reservations[0]);
    expect(reservations[2]).toEqual(reservations[0]);
    expect(await usage(subject)).toEqual({ used: 30_000n, reserved: 0n, usedCount: 3n, reservedCount: 0n });
    await dying.close();
  });

  it('keeps what it does not cover as evidence, and never counts it', async () => {
    const subject = await newSubject();
    const allowance = await granted(subject);
    const taken = spend(100n);
    const { answer } = await live.decider.decide({
      ...{ caller: HOLDER, key: randomUUID() },
      request: requestOf(subject, { minor: 1n, paymentReference: taken.paymentReference }),
    });
    expect(answer.outcome).toBe('ALLOW');
    const early = { ...spend(1n), at: new Date(allowance.issuedAt.getTime() - 60_000) };
    const { results } = await settle(allowance, [spend(50_001n), taken, early]);
    expect(results.map(({ code }) => code)).toEqual(['allowance.exceeded', 'payment_reference.taken', 'allowance.outside_time']);
    expect(await usage(subject)).toMatchObject({ used: 0n, reserved: 50_001n });
    expect((await kinds(subject)).filter((kind) => kind === 'allowance.spend_refused')).toHaveLength(3);
  });

  it('counts what is reported after the hold ran out, says so, and frees the hold once', async () => {
    const subject = await newSubject();
    const allowance = await granted(subject);
    await settle(allowance, [spend(10_000n)]);
    await runOut(allowance);
    // Another decision finds the room again.
    await live.decider.decide({ caller: HOLDER, key: randomUUID(), request: requestOf(subject, { minor: 1_000n }) });
    expect(await usage(subject)).toEqual({ used: 10_000n, reserved: 1_000n, usedCount: 1n, reservedCount: 1n });
    const late = spend(20_000n);
    const settled = await settle(allowance, [late, spend(20_001n)], { close: true });
    expect(settled.results.map(({ result }) => result)).toEqual(['LATE', 'REFUSED']);
    expect(await usage(subject)).toEqual({ used: 30_000n, reserved: 1_000n, usedCount: 2n, reservedCount: 1n });
    expect(await kinds(subject)).toContain('allowance.spent_late');
    expect(await new PgPaymentFinder(fresh.database).findByReferences([late.paymentReference])).toHaveLength(1);
    expect((await settle(allowance, [late])).results[0]).toMatchObject({ result: 'LATE' });
  });

  it('is the holder’s alone', async () => {
    const allowance = await granted(await newSubject());
    await expect(settle(allowance, [spend(1n)], { holder: 'wallet-service' })).rejects.toMatchObject({ code: 'allowance.unknown' });
    await expect(settle(allowance, [spend(1n)], { currency: 'EUR' })).rejects.toMatchObject({ code: 'currency.unsupported' });
    await expect(live.allowances.find(allowance.id, 'wallet-service')).rejects.toMatchObject({ code: 'allowance.unknown' });
    expect(formatId('alw', parseId('alw', formatId('alw', allowance.id)))).toMatch(/^alw_/);
  });
});

it('keeps used and reserved within every limit under any sequence of decisions and allowances', async () => {
  const step = fc.record({
    what: fc.constantFrom('issue', 'decide', 'settle', 'close', 'expire'),
    minor: fc.bigInt({ min: 5n, max: 150_000n }),
    which: fc.nat(7),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 14 }), async (steps) => {
      const subject = await newSubject();
      const out: Allowance[] = [];
      const covered = new Map<string, bigint>();
      const late = { minor: 0n, count: 0n };
      for (const { what, minor, which } of steps) {
        const one = out[which % (out.length || 1)];
        if (what === 'issue')
          out.push(...[(await live.allowances.issue(ask(subject, { minor }))).allowance].filter((it) => it !== undefined));
        else if (what === 'decide')
          await live.decider.decide({ caller: HOLDER, key: randomUUID(), request: requestOf(subject, { minor }) });
        else if (what === 'expire' && one) await runOut(one);
        else if (one) {
          const { added } = await settle(one, [spend(minor), spend(minor / 5n)], { close: what === 'close' });
          for (const { result, report } of added) {
            if (result === 'LATE') {
              late.minor += report.minor;
              late.count++;
            }
            if (result !== 'REFUSED') covered.set(one.id.uuid, (covered.get(one.id.uuid) ?? 0n) + report.minor);
          }
        }
        const { used, reserved, usedCount, reservedCount } = await usage(subject);
        expect(used + reserved - late.minor <= 500_000n).toBe(true);
        expect(usedCount + reservedCount - late.count <= 20n).toBe(true);
      }
      for (const { id, money } of out) expect((covered.get(id.uuid) ?? 0n) <= money.minor).toBe(true);
    }),
    { numRuns: 12 },
  );
});
