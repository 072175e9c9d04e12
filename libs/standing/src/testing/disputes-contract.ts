import { beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#kernel';
import type { DisputeWish } from '#records';
import { performance, rating, violation } from '#records/testing/records';
import { nodeClerk } from '../adapters/node-notary.js';
import { BUILT_IN_DISPUTES, type DisputePolicy } from '../dispute/dispute-policy.js';
import { Disputes } from '../dispute/disputes.js';
import {
  answerIn,
  bad,
  type Body,
  codeOf,
  customer,
  type Customer,
  type DisputeGround,
  good,
  hear,
  nextNumber,
  report,
  ring,
  type Stage,
  VERIFIED,
  wish,
} from './dispute-stage.js';
import { ExchangeWorld, startAt } from './exchange-world.js';

const DAY_MS = 86_400_000;

/** Disputes on whatever they stand. */
export function disputesContract(open: () => Promise<DisputeGround>): void {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.ground = await open();
    stage.world = new ExchangeWorld(stage.ground);
    stage.flow = new Disputes(stage.ground.exchange, nodeClerk, stage.world.clock);
  });
  describe('a dispute', () => aboutOpening(stage));
  describe('an answer', () => aboutAnswers(stage));
  describe('a disputed violation', () => aboutViolations(stage));
  describe('the clock of a dispute', () => aboutClocks(stage));
  describe('who received it', () => aboutRecipients(stage));
}

function aboutOpening(stage: Stage): void {
  it('flags the standing at once, counts its record as the policy says, and the furnisher hears why', async () => {
    const { world } = stage;
    const who = await customer(stage);
    const before = await world.standing(who.subject);
    const jti = await report(stage, who, bad);
    const harmed = await world.standing(who.subject);
    expect(harmed.score.value).toBeLessThan(before.score.value);
    const { dispute } = await stage.flow.open(who.subject, wish(jti, { statementDigest: 'a'.repeat(64) }));
    const now = await world.standing(who.subject);
    expect(now.score).toMatchObject({ value: before.score.value, disputed: true });
    expect(now.version).toBe(harmed.version + 1n);
    const [told] = await hear(stage, 'bank-x');
    expect(told).toMatchObject({
      kind: 'dispute.opened',
      ref: formatId('lnk', who.ref),
      body: { record: jti, code: 'INACCURATE', openedBy: 'SUBJECT', statementDigest: 'a'.repeat(64) },
    });
    expect(told?.body['dueAt']).toBe(new Date(dispute.openedAt.getTime() + 30 * DAY_MS).toISOString());
    expect(await hear(stage, 'bank-y')).toEqual([]);
  });

  it('is opened once: the same request again gets the first, another of the record is refused', async () => {
    const who = await customer(stage);
    const jti = await report(stage, who, bad);
    const first = wish(jti);
    const all = await Promise.all([stage.flow.open(who.subject, first), stage.flow.open(who.subject, first)]);
    expect(all.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
    expect(all[0].dispute.id).toBe(all[1].dispute.id);
    expect(await codeOf(stage.flow.open(who.subject, { ...first, code: 'NOT_MINE' }))).toBe('idempotency.key_reused');
    expect(await codeOf(stage.flow.open(who.subject, wish(jti)))).toBe('dispute.exists');
    const flag = wish(jti, { openedBy: 'FURNISHER', caller: 'bank-x', key: undefined });
    expect(await codeOf(stage.flow.open(who.subject, flag))).toBe('dispute.exists');
  });

  it("is refused of a record that is not there, not the subject's, or does not count", async () => {
    const [who, another] = [await customer(stage), await customer(stage)];
    const jti = await report(stage, who, good);
    expect(await codeOf(stage.flow.open(another.subject, wish(jti)))).toBe('record.unknown');
    expect(await codeOf(stage.flow.open(who.subject, wish(jti, { record: { iss: 'bank-y', jti } })))).toBe('record.unknown');
    expect(await codeOf(stage.flow.open(who.subject, wish(jti, { code: 'SCORE_WRONG' })))).toBe('dispute.code_unfit');
    await report(stage, who, { kind: 'withdrawal', withdrawal: { replaces: jti } });
    expect(await codeOf(stage.flow.open(who.subject, wish(jti)))).toBe('record.not_in_force');
  });

  it('caps what it lifts where the policy says so, and only flags where it says that', async () => {
    const { world, ground } = stage;
    const scores = [];
    for (const policy of [
      { ...BUILT_IN_DISPUTES, score: 'CAP' as const, capPoints: 7 },
      { ...BUILT_IN_DISPUTES, score: 'KEEP' as const },
    ]) {
      await ground.setPolicy(policy);
      const who = await customer(stage);
      const jti = await report(stage, who, bad);
      const { score } = await world.standing(who.subject);
      await stage.flow.open(who.subject, wish(jti));
      scores.push((await world.standing(who.subject)).score.value - score.value);
      expect((await world.standing(who.subject)).score.disputed).toBe(true);
    }
    await ground.setPolicy(BUILT_IN_DISPUTES);
    expect(scores).toEqual([7, 0]);
  });

  it('by the furnisher itself is an early flag, and the same flag again is the same dispute', async () => {
    const who = await customer(stage);
    const jti = await report(stage, who, { kind: 'rating', rating: rating(900) });
    const flag = wish(jti, { openedBy: 'FURNISHER', caller: 'bank-x', key: undefined, code: 'SCORE_WRONG' });
    const { dispute } = await stage.flow.open(who.subject, flag);
    expect((await stage.flow.open(who.subject, flag)).repeated).toBe(true);
    expect((await stage.world.standing(who.subject)).score.disputed).toBe(true);
    expect((await answerIn(stage, dispute, VERIFIED)).dispute).toMatchObject({ state: 'CLOSED', outcome: 'VERIFIED' });
  });
}

function aboutAnswers(stage: Stage): void {
  const disputed = async (body: Body = bad) => {
    const who = await customer(stage);
    const jti = await report(stage, who, body);
    const before = (await stage.world.standing(who.subject)).score;
    const { dispute } = await stage.flow.open(who.subject, wish(jti, { statementDigest: 'a'.repeat(64) }));
    await hear(stage, 'bank-x');
    return { who, jti, before, dispute };
  };
  const scoreOf = async ({ subject }: Customer) => (await stage.world.standing(subject)).score;

  it('VERIFIED counts the record again; the same answer is repeated, another one refused', async () => {
    const { who, before, dispute } = await disputed();
    const all = await Promise.all([answerIn(stage, dispute, VERIFIED), answerIn(stage, dispute, VERIFIED)]);
    expect(all.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
    expect(all[0].dispute).toMatchObject({ state: 'CLOSED', outcome: 'VERIFIED' });
    expect(await scoreOf(who)).toEqual(before);
    expect(await codeOf(answerIn(stage, dispute, { answer: 'WITHDRAWN' }))).toBe('dispute.closed');
    expect(await hear(stage, 'bank-x')).toMatchObject([{ kind: 'dispute.closed', body: { outcome: 'VERIFIED' } }]);
  });

  it('of two different answers at once one counts', async () => {
    const { dispute } = await disputed();
    const codes = await Promise.all([
      codeOf(answerIn(stage, dispute, VERIFIED)),
      codeOf(answerIn(stage, dispute, { answer: 'WITHDRAWN' })),
    ]);
    expect(codes.sort()).toEqual(['dispute.closed', 'done']);
  });

  it('WITHDRAWN removes the record without another one', async () => {
    const { who, jti, dispute } = await disputed();
    const during = await scoreOf(who);
    expect((await answerIn(stage, dispute, { answer: 'WITHDRAWN' })).dispute.outcome).toBe('WITHDRAWN');
    expect(await scoreOf(who)).toEqual({ value: during.value, version: during.version });
    expect(await codeOf(report(stage, who, { kind: 'withdrawal', withdrawal: { replaces: jti } }))).toBe('record.not_in_force');
  });

  it('a correction that arrives closes it, and the answer that names it repeats what happened', async () => {
    const { who, jti, before, dispute } = await disputed();
    const correction = await report(stage, who, {
      kind: 'correction',
      correction: { replaces: jti, performance: { ...performance('11'), account: 'second' } },
    });
    expect(await scoreOf(who)).not.toHaveProperty('disputed');
    expect((await scoreOf(who)).value).toBeGreaterThan(before.value);
    const named = await answerIn(stage, dispute, { answer: 'CORRECTED', record: correction });
    expect([named.repeated, named.dispute.outcome]).toEqual([true, 'CORRECTED']);
  });

  it('CORRECTED may come before its record: the dispute waits for it, still flagged', async () => {
    const { who, jti, dispute } = await disputed();
    const next = stage.world.record('bank-x', who.ref, nextNumber(), {
      kind: 'correction',
      correction: { replaces: jti, performance: performance('11') },
    });
    const waiting = await answerIn(stage, dispute, { answer: 'CORRECTED', record: next.jti });
    expect(waiting.dispute.state).toBe('ANSWERED');
    expect((await scoreOf(who)).disputed).toBe(true);
    expect(await codeOf(answerIn(stage, dispute, VERIFIED))).toBe('dispute.answered');
    await stage.world.send(next);
    expect((await answerIn(stage, dispute, { answer: 'CORRECTED', record: next.jti })).dispute).toMatchObject({
      state: 'CLOSED',
      outcome: 'CORRECTED',
    });
  });

  it('that names another record of the furnisher is refused, and so is one of another bank', async () => {
    const { who, dispute } = await disputed();
    const unrelated = await report(stage, who, good);
    expect(await codeOf(answerIn(stage, dispute, { answer: 'CORRECTED', record: unrelated }))).toBe('dispute.record_mismatch');
    expect(await codeOf(answerIn(stage, dispute, VERIFIED, 'bank-y'))).toBe('dispute.unknown');
  });

  it('makes a repetition frivolous unless it brings another code and new words; three are the end', async () => {
    const { who, jti, dispute } = await disputed();
    await answerIn(stage, dispute, VERIFIED);
    const again = (more: Partial<DisputeWish>) => stage.flow.open(who.subject, wish(jti, more));
    expect(await codeOf(again({}))).toBe('dispute.frivolous');
    expect(await codeOf(again({ code: 'PAID' }))).toBe('dispute.frivolous');
    expect(await codeOf(again({ code: 'PAID', statementDigest: 'a'.repeat(64) }))).toBe('dispute.frivolous');
    for (const [code, digest] of [
      ['PAID', 'b'],
      ['NOT_MINE', 'c'],
    ] as const) {
      const { dispute: next } = await again({ code, statementDigest: digest.repeat(64) });
      await answerIn(stage, next, VERIFIED);
    }
    expect(await codeOf(again({ code: 'OUTDATED', statementDigest: 'd'.repeat(64) }))).toBe('dispute.frivolous');
  });
}

function aboutViolations(stage: Stage): void {
  const reported = async (policy: DisputePolicy) => {
    await stage.ground.setPolicy(policy);
    const who = await customer(stage);
    const jti = await report(stage, who, { kind: 'violation', violation: violation('MAJOR', stage.world.clock.now()) });
    const later = violation('MINOR', stage.world.clock.now());
    await report(stage, who, {
      kind: 'violation',
      violation: { ...later, occurredAt: new Date(stage.world.clock.now().getTime() + 1_000).toISOString() },
    });
    await Promise.all([stage.world.hear('bank-x'), stage.world.hear('bank-y')]);
    return { who, jti, steps: await stepsOf(who) };
  };
  /** The major one's first: both began at the same moment, and ids are chance. */
  const stepsOf = async ({ subject }: Customer) => {
    const { restrictions } = await stage.world.standing(subject);
    const inOrder = [...restrictions].sort((a, b) => (a.reason.text < b.reason.text ? -1 : 1));
    return inOrder.map(({ step, services, disputed }) => [step, services.length, disputed === true]);
  };

  it('costs what it cost, and says that it is disputed', async () => {
    const { who, jti, steps } = await reported(BUILT_IN_DISPUTES);
    await stage.flow.open(who.subject, wish(jti));
    expect(await stepsOf(who)).toEqual(steps.map(([step, services], i) => [step, services, i === 0]));
  });

  it('suspended, costs nothing meanwhile, also what climbed for it; verified, all of it comes back', async () => {
    const { who, jti, steps } = await reported({ ...BUILT_IN_DISPUTES, restrictions: 'SUSPEND' });
    // The minor one began a rung higher because of the major one.
    expect(steps.map(([, services]) => services)).toEqual([4, 4]);
    const { dispute } = await stage.flow.open(who.subject, wish(jti));
    expect((await stepsOf(who)).map(([, services]) => services)).toEqual([1]);
    const told = (await stage.world.hear('bank-y')).filter(({ kind }) => kind === 'restriction.lifted');
    expect(told.map(({ body }) => body['why'])).toContain('DISPUTED');
    await answerIn(stage, dispute, VERIFIED);
    expect((await stepsOf(who)).map(([, services]) => services)).toEqual([4, 4]);
    await stage.ground.setPolicy(BUILT_IN_DISPUTES);
  });
}

function aboutClocks(stage: Stage): void {
  const until = (at: Date) => stage.world.clock.set(at);
  const back = () => stage.world.clock.set(startAt);

  it('rings for the notice, for the answer that is due soon, and ends the dispute of a silent furnisher', async () => {
    const who = await customer(stage);
    const jti = await report(stage, who, bad);
    const harmed = (await stage.world.standing(who.subject)).score.value;
    const { dispute } = await stage.flow.open(who.subject, wish(jti));
    const kinds = async () => (await stage.ground.factKinds()).filter((kind) => /^dispute|^record.removed/.test(kind));
    const before = (await kinds()).length;
    await ring(stage);
    expect((await kinds()).length).toBe(before);
    until(dispute.noticeBy);
    await ring(stage);
    until(new Date(dispute.dueSoonAt.getTime() - 1));
    await ring(stage);
    expect((await hear(stage, 'bank-x', who.ref)).map(({ kind }) => kind)).toEqual(['dispute.opened']);
    until(dispute.dueSoonAt);
    await Promise.all([ring(stage), ring(stage)]);
    expect((await hear(stage, 'bank-x', who.ref)).map(({ kind }) => kind)).toEqual(['dispute.due_soon']);
    until(new Date(dispute.dueAt.getTime() - 1));
    await ring(stage);
    expect((await stage.world.standing(who.subject)).score.disputed).toBe(true);
    until(dispute.dueAt);
    await Promise.all([ring(stage), ring(stage)]);
    expect(await hear(stage, 'bank-x', who.ref)).toMatchObject([{ kind: 'dispute.closed', body: { outcome: 'SILENT' } }]);
    const { score } = await stage.world.standing(who.subject);
    expect([score.disputed, score.value > harmed]).toEqual([undefined, true]);
    expect(await codeOf(answerIn(stage, dispute, VERIFIED))).toBe('dispute.closed');
    until(new Date(dispute.dueAt.getTime() + 20 * DAY_MS));
    await ring(stage);
    const since = (await kinds()).filter((kind) => kind !== 'dispute.opened');
    for (const kind of ['dispute.notice_overdue', 'dispute.reminded', 'record.removed']) expect(since).toContain(kind);
    back();
  });

  it('gives 15 days more, once, when the subject adds something, and reminds again', async () => {
    const who = await customer(stage);
    const jti = await report(stage, who, bad);
    const { dispute } = await stage.flow.open(who.subject, wish(jti));
    const id = { shard: who.subject.shard, uuid: dispute.id };
    until(dispute.dueSoonAt);
    await ring(stage);
    const { dispute: longer } = await stage.flow.add(id, 'b'.repeat(64));
    expect(longer.dueAt).toEqual(new Date(dispute.openedAt.getTime() + 45 * DAY_MS));
    expect((await stage.flow.add(id, 'b'.repeat(64))).repeated).toBe(true);
    expect(await codeOf(stage.flow.add(id, 'c'.repeat(64)))).toBe('dispute.extended');
    until(dispute.dueAt);
    await ring(stage);
    expect((await stage.world.standing(who.subject)).score.disputed).toBe(true);
    until(longer.dueSoonAt);
    await ring(stage);
    expect((await hear(stage, 'bank-x', who.ref)).map(({ kind }) => kind)).toEqual([
      'dispute.opened',
      'dispute.due_soon',
      'dispute.extended',
      'dispute.due_soon',
    ]);
    until(longer.dueAt);
    await ring(stage);
    expect((await hear(stage, 'bank-x', who.ref)).map(({ kind }) => kind)).toEqual(['dispute.closed']);
    back();
  });
}

function aboutRecipients(stage: Stage): void {
  it('hears how it ended, by names of its own, and nothing of whose record it was', async () => {
    const who = await customer(stage);
    const jti = await report(stage, who, bad);
    await stage.ground.readRating(who.subject, who.other, 'bank-y');
    const { dispute } = await stage.flow.open(who.subject, wish(jti));
    await report(stage, who, {
      kind: 'correction',
      correction: { replaces: jti, performance: { ...performance('11'), account: 'second' } },
    });
    const told = await hear(stage, 'bank-y', who.other);
    expect(told.map(({ kind }) => kind)).toEqual(['record.corrected', 'dispute.closed']);
    expect(told[1]?.body).toMatchObject({ outcome: 'CORRECTED' });
    expect(told[0]?.body['record']).toBe(told[1]?.body['record']);
    expect(JSON.stringify(told)).not.toContain(jti);
    expect(JSON.stringify(told)).not.toContain('bank-x');
    expect(JSON.stringify(told)).not.toContain(formatId('dsp', { shard: who.subject.shard, uuid: dispute.id }));
    expect((await hear(stage, 'bank-x', who.ref)).map(({ kind }) => kind)).toEqual(['dispute.opened', 'dispute.closed']);
  });

  it('hears of a withdrawal that nobody disputed; who read nothing since hears nothing', async () => {
    const who = await customer(stage);
    await stage.ground.readRating(who.subject, who.other, 'bank-y');
    const jti = await report(stage, who, bad);
    await report(stage, who, { kind: 'withdrawal', withdrawal: { replaces: jti } });
    const unread = await hear(stage, 'bank-y', who.other);
    const again = await report(stage, who, bad);
    await stage.ground.readRating(who.subject, who.other, 'bank-y');
    await report(stage, who, { kind: 'withdrawal', withdrawal: { replaces: again } });
    expect([unread.length, (await hear(stage, 'bank-y', who.other)).map(({ kind }) => kind)]).toEqual([0, ['record.withdrawn']]);
  });
}
