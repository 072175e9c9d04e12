import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DisputeState } from '#contract';
import { Refusal } from '#kernel';
import { jtiOf } from '../testing/records.js';
import { type Dispute, type DisputeAnswer, type DisputeClock, nextRing } from './dispute.js';
import { addInformation, answerDispute, closeByRecord, closeDispute, ringDispute } from './lead-dispute.js';
import { type DisputeWish, disputesPerRecordMax, openDispute, repeatDispute } from './open-dispute.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const startAt = new Date('2026-11-20T09:00:00.000Z');
const after = (days: number) => new Date(startAt.getTime() + days * DAY_MS);
const SUBJECT = { shard: 3 as const, uuid: jtiOf(1) };
const RECORD = { iss: 'bank-a', jti: jtiOf(2), rootJti: jtiOf(2), kind: 'performance' as const, ref: jtiOf(3), factSeq: 7n };
const WISH: DisputeWish = {
  openedBy: 'SUBJECT',
  caller: 'wallet',
  key: 'key-12345',
  code: 'PAID',
  record: { iss: 'bank-a', jti: RECORD.jti },
};
const TERMS = {
  ...{ id: jtiOf(4), subject: SUBJECT, at: startAt, noticeBy: after(7), dueSoonAt: after(23), dueAt: after(30) },
  treatment: { score: 'EXCLUDE', capPoints: 0, restrictions: 'KEEP' } as const,
};

const opened = (wish: Partial<DisputeWish> = {}, earlier: readonly Dispute[] = []): Dispute => ({
  ...openDispute({ ...WISH, ...wish }, RECORD, earlier, TERMS).dispute,
  openedSeq: 8n,
});
const closed = (wish: Partial<DisputeWish> = {}): Dispute => closeDispute(opened(wish), 'VERIFIED', after(40), after(1)).dispute;

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('opening', () => {
  const digest = (letter: string) => letter.repeat(64);
  it.each<[name: string, wish: Partial<DisputeWish>, earlier: Dispute[], code: string]>([
    ['a first one', {}, [], 'done'],
    ['a code of another kind', { code: 'SCORE_WRONG' }, [], 'dispute.code_unfit'],
    ['beside an open one', { openedBy: 'FURNISHER' }, [opened()], 'dispute.exists'],
    ['the same again', {}, [closed()], 'dispute.frivolous'],
    ['new words alone', { statementDigest: digest('a') }, [closed()], 'dispute.frivolous'],
    ['another code alone', { code: 'NOT_MINE' }, [closed()], 'dispute.frivolous'],
    ['another code and new words', { code: 'NOT_MINE', statementDigest: digest('a') }, [closed()], 'done'],
    [
      'another code and words that were said',
      { code: 'NOT_MINE', statementDigest: digest('a') },
      [closed({ statementDigest: digest('a') })],
      'dispute.frivolous',
    ],
    [
      'one too many',
      { code: 'NOT_MINE', statementDigest: digest('z') },
      Array.from({ length: disputesPerRecordMax }, () => closed()),
      'dispute.frivolous',
    ],
    ['after the furnisher’s own flag', {}, [closed({ openedBy: 'FURNISHER' })], 'done'],
    ['the furnisher, again', { openedBy: 'FURNISHER' }, [closed({ openedBy: 'FURNISHER' })], 'done'],
  ])('%s', (_name, wish, earlier, code) => {
    expect(codeOf(() => opened(wish, earlier))).toBe(code);
  });

  it('of a corrected record asks nothing of what was said about the one before', () => {
    const corrected = { ...RECORD, jti: jtiOf(9) };
    expect(openDispute({ ...WISH, record: { iss: 'bank-a', jti: jtiOf(9) } }, corrected, [closed()], TERMS).dispute.state).toBe('OPEN');
  });

  it('tells in its fact neither the code nor who asked', () => {
    const { fact } = openDispute({ ...WISH, statementDigest: digest('a') }, RECORD, [], TERMS);
    expect(fact).toMatchObject({ kind: 'dispute.opened', participant: 'bank-a', subject: SUBJECT.uuid, body: { record: 'fct_37' } });
    expect(JSON.stringify(fact)).not.toMatch(/PAID|wallet|key-12345/);
  });

  it('again under a key is the first, or refused where it says something else', () => {
    expect(repeatDispute(opened(), WISH).id).toBe(TERMS.id);
    expect(codeOf(() => repeatDispute(opened(), { ...WISH, code: 'NOT_MINE' }))).toBe('idempotency.key_reused');
    expect(codeOf(() => repeatDispute(opened(), { ...WISH, record: { iss: 'bank-a', jti: jtiOf(9) } }))).toBe('idempotency.key_reused');
  });
});

const VERIFIED: DisputeAnswer = { answer: 'VERIFIED', evidenceDigest: 'e'.repeat(64) };
const CORRECTED: DisputeAnswer = { answer: 'CORRECTED', record: jtiOf(5) };
const WITHDRAWN: DisputeAnswer = { answer: 'WITHDRAWN' };

describe('answering', () => {
  const waiting = () => {
    const answered = answerDispute(opened(), CORRECTED, false, after(1));
    if (answered.kind !== 'waits') throw new Error(answered.kind);
    return answered.dispute;
  };
  const byRecord = () => closeByRecord(opened(), { kind: 'correction', jti: jtiOf(5) }, after(40), after(1)).dispute;

  it.each<[name: string, dispute: () => Dispute, answer: DisputeAnswer, isNamedHere: boolean, result: string]>([
    ['VERIFIED ends', opened, VERIFIED, false, 'ends'],
    ['WITHDRAWN by itself ends', opened, WITHDRAWN, false, 'ends'],
    ['CORRECTED by what is not here waits', opened, CORRECTED, false, 'waits'],
    ['WITHDRAWN by what is not here waits', opened, { ...WITHDRAWN, record: jtiOf(5) }, false, 'waits'],
    ['CORRECTED by another record', opened, CORRECTED, true, 'dispute.record_mismatch'],
    ['the same while waiting', waiting, CORRECTED, false, 'repeated'],
    ['another one while waiting', waiting, VERIFIED, false, 'dispute.answered'],
    ['another record while waiting', waiting, { ...CORRECTED, record: jtiOf(6) }, false, 'dispute.answered'],
    ['what a record has answered', byRecord, CORRECTED, true, 'repeated'],
    ['another one than a record has', byRecord, VERIFIED, false, 'dispute.closed'],
    ['too late', () => closeDispute(opened(), 'SILENT', after(40), after(30)).dispute, VERIFIED, false, 'dispute.closed'],
    [
      'the named record came too late',
      () => closeDispute(waiting(), 'SILENT', after(40), after(30)).dispute,
      CORRECTED,
      false,
      'dispute.closed',
    ],
  ])('%s', (_name, dispute, answer, isNamedHere, result) => {
    const answered = codeOf(() => answerDispute(dispute(), answer, isNamedHere, after(2)));
    expect(answered === 'done' ? answerDispute(dispute(), answer, isNamedHere, after(2)).kind : answered).toBe(result);
  });
});

/** Something that happens to a dispute, some hours after what happened before. */
type Step = { readonly hours: number } & (
  | { readonly kind: 'add'; readonly letter: string }
  | { readonly kind: 'answer'; readonly answer: DisputeAnswer }
  | { readonly kind: 'record'; readonly of: 'correction' | 'withdrawal' }
  | { readonly kind: 'ring'; readonly isHeard: boolean }
);

const step: fc.Arbitrary<Step> = fc
  .record({ hours: fc.integer({ min: 0, max: 300 }) })
  .chain((base) =>
    fc
      .oneof(
        fc.record({ kind: fc.constant('add' as const), letter: fc.constantFrom('a', 'b') }),
        fc.record({ kind: fc.constant('answer' as const), answer: fc.constantFrom(VERIFIED, CORRECTED, WITHDRAWN) }),
        fc.record({ kind: fc.constant('record' as const), of: fc.constantFrom('correction' as const, 'withdrawal' as const) }),
        fc.record({ kind: fc.constant('ring' as const), isHeard: fc.boolean() }),
      )
      .map((what) => ({ ...base, ...what })),
  );

/** As the flow leads it, without what it saves. */
function take(dispute: Dispute, what: Step, at: Date): { dispute: Dispute; rang?: DisputeClock } {
  if (what.kind === 'add') {
    const longer = { dueAt: after(45), dueSoonAt: after(38) };
    return { dispute: addInformation(dispute, what.letter.repeat(64), longer, at)?.dispute ?? dispute };
  }
  if (what.kind === 'record')
    return { dispute: closeByRecord(dispute, { kind: what.of, jti: jtiOf(6) }, new Date(at.getTime() + 7 * DAY_MS), at).dispute };
  if (what.kind === 'answer') {
    const answered = answerDispute(dispute, what.answer, false, at);
    if (answered.kind === 'repeated') return { dispute };
    if (answered.kind === 'waits') return { dispute: answered.dispute };
    return { dispute: closeDispute(answered.dispute, answered.outcome, new Date(at.getTime() + 7 * DAY_MS), at).dispute };
  }
  const rung = ringDispute(dispute, what.isHeard, at);
  if (!rung) return { dispute };
  if (rung.clock !== 'DUE') return { dispute: rung.dispute, rang: rung.clock };
  return { dispute: closeDispute(rung.dispute, 'SILENT', new Date(at.getTime() + 7 * DAY_MS), at).dispute, rang: 'DUE' };
}

const ORDER: Readonly<Record<DisputeState, number>> = { OPEN: 0, ANSWERED: 1, CLOSED: 2 };

describe('a dispute, whatever happens to it', () => {
  it('never goes back, ends once and rings no clock early or twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        let dispute = opened();
        let at = startAt.getTime();
        const rang: DisputeClock[] = [];
        for (const what of steps) {
          at += what.hours * HOUR_MS;
          const due = nextRing(dispute);
          const before = dispute;
          try {
            const taken = take(dispute, what, new Date(at));
            dispute = taken.dispute;
            if (taken.rang) rang.push(taken.rang);
            if (taken.rang) expect(due!.at.getTime()).toBeLessThanOrEqual(at);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            expect(error.code).toMatch(/^dispute\./);
          }
          expect(ORDER[dispute.state]).toBeGreaterThanOrEqual(ORDER[before.state]);
          if (before.state === 'CLOSED') expect({ ...dispute, rung: [] }).toEqual({ ...before, rung: [] });
          expect(dispute.state === 'CLOSED').toBe(dispute.outcome !== undefined && dispute.closedAt !== undefined);
        }
        // A clock rings once; the reminder once more where there was more time.
        for (const clock of ['NOTICE', 'DUE', 'RESULT'] as const) expect(rang.filter((one) => one === clock).length).toBeLessThanOrEqual(1);
        expect(rang.filter((one) => one === 'DUE_SOON').length).toBeLessThanOrEqual(dispute.added ? 2 : 1);
      }),
      { numRuns: 500 },
    );
  });

  it('is over after its time, however long nobody rang', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), fc.integer({ min: 46, max: 4_000 }), (steps, days) => {
        let dispute = opened();
        for (const what of steps) {
          try {
            dispute = take(dispute, what, after(1)).dispute;
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
          }
        }
        for (let i = 0; i < 6; i++) dispute = take(dispute, { kind: 'ring', isHeard: false, hours: 0 }, after(days + 8)).dispute;
        expect([dispute.state, nextRing(dispute) === undefined || nextRing(dispute)!.at > after(days + 8)]).toEqual(['CLOSED', true]);
      }),
    );
  });
});
