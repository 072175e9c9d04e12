import { beforeAll, describe, expect, it } from 'vitest';
import { formatId, Refusal, type ShardedId } from '#kernel';
import { jtiOf, violation } from '#records/testing/records';
import { nodeClerk } from '../adapters/node-notary.js';
import type { RestrictionReader } from '../appeal-store.js';
import type { Sanction } from '../ladder.js';
import { Restrictions } from '../restrictions.js';
import type { StaffAction, StaffOrder } from '../staff-order.js';
import { ExchangeWorld, type Ground, startAt } from './exchange-world.js';

const DAY_MS = 86_400_000;
const about: Omit<StaffOrder, 'action'> = {
  reason: { code: 'CASE', text: 'seen' },
  evidence: { digest: 'c'.repeat(64), reference: 'case-1' },
};
const CUT: Sanction = { step: 'LIMIT_CUT', services: ['pay-later'], limitPercent: 40, limitMinor: 12_345n, currency: 'CNY', days: 7 };
const CLOSURE: Sanction = { step: 'CLOSURE', services: [] };

export type RestrictionGround = Ground & { readonly lists: RestrictionReader };

interface Stage {
  world: ExchangeWorld;
  lists: RestrictionReader;
  flow: Restrictions;
  subject: ShardedId;
}

let n = 9_000;
let keys = 0;

/** What people do about restrictions, on whatever it stands. */
export function restrictionsContract(open: () => Promise<RestrictionGround>): void {
  const stage = {} as Stage;
  beforeAll(async () => {
    const ground = await open();
    stage.world = new ExchangeWorld(ground);
    stage.lists = ground.lists;
    stage.flow = new Restrictions(ground.exchange, nodeClerk, stage.world.clock);
  });
  describe('staff', () => aboutStaff(stage));
  describe('appeals', () => aboutAppeals(stage));
}

async function newCustomer(stage: Stage): Promise<void> {
  const { world } = stage;
  stage.subject = await world.subject();
  await world.link(stage.subject, 'bank-x');
  await world.link(stage.subject, 'bank-y');
  await Promise.all([world.hear('bank-x'), world.hear('bank-y')]);
}

/** Links and records also change scores; here only restrictions are of interest. */
async function hear({ world }: Stage, bank: string) {
  return (await world.hear(bank)).filter(({ kind }) => kind.startsWith('restriction.'));
}

function orderIn(stage: Stage, action: StaffAction, by = 'ann', key = `key-${++keys}`) {
  return stage.flow.order(stage.subject, { order: { action, ...about }, by, key });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

function aboutStaff(stage: Stage): void {
  beforeAll(() => newCustomer(stage));
  const standing = () => stage.world.standing(stage.subject);

  it('impose at once what leaves rights, and both banks hear it', async () => {
    const { request } = await orderIn(stage, { kind: 'IMPOSE', sanction: CUT }, 'ann', 'impose-cut');
    expect(request.state).toBe('DONE');
    const { version, restrictions } = await standing();
    expect(version).toBe(2n);
    expect(restrictions).toMatchObject([
      { step: 'LIMIT_CUT', limitPercent: 40, limitMinor: 12_345n, currency: 'CNY', endsAt: new Date(startAt.getTime() + 7 * DAY_MS) },
    ]);
    for (const bank of ['bank-x', 'bank-y']) {
      const told = await hear(stage, bank);
      expect(told).toMatchObject([{ kind: 'restriction.imposed', body: { step: 'LIMIT_CUT', reason: { code: 'PLATFORM_DECISION' } } }]);
      expect(JSON.stringify(told)).not.toMatch(/CASE|ann|case-1/);
    }
  });

  it('are answered, not obeyed twice, when they repeat themselves', async () => {
    const again = await orderIn(stage, { kind: 'IMPOSE', sanction: CUT }, 'ann', 'impose-cut');
    expect([again.repeated, (await standing()).restrictions.length]).toEqual([true, 1]);
    const other = orderIn(stage, { kind: 'IMPOSE', sanction: { ...CUT, limitMinor: 1n } }, 'ann', 'impose-cut');
    expect(await codeOf(other)).toBe('idempotency.key_reused');
  });

  it('need a second person to close, who is another one', async () => {
    const before = (await standing()).version;
    const { request } = await orderIn(stage, { kind: 'IMPOSE', sanction: CLOSURE });
    expect([request.state, (await standing()).version]).toEqual(['WAITING', before]);
    expect(await stage.lists.waitingOrders(10)).toMatchObject([{ id: request.id, by: 'ann' }]);
    const decide = (approve: boolean, by: string) => stage.flow.decide(stage.subject, request.id, approve, by);
    expect(await codeOf(decide(true, 'ann'))).toBe('restriction_order.four_eyes');
    expect(await Promise.all([codeOf(decide(true, 'ben')), codeOf(decide(true, 'ben'))])).toEqual(['done', 'done']);
    expect(await codeOf(decide(false, 'eve'))).toBe('restriction_order.decided');
    const { version, restrictions } = await standing();
    expect([version, restrictions.filter(({ step }) => step === 'CLOSURE').length]).toEqual([before + 1n, 1]);
    expect(await codeOf(stage.flow.decide(stage.subject, jtiOf(1), true, 'ben'))).toBe('restriction_order.unknown');
  });

  it('need a second person to lift early; the retraction stays open until each bank has acknowledged it', async () => {
    await Promise.all([stage.world.hear('bank-x'), stage.world.hear('bank-y')]);
    const { id } = (await standing()).restrictions.find(({ step }) => step === 'CLOSURE')!;
    const { request } = await orderIn(stage, { kind: 'LIFT', restriction: id });
    const twice = await orderIn(stage, { kind: 'LIFT', restriction: id });
    await stage.flow.decide(stage.subject, request.id, true, 'ben');
    expect((await standing()).restrictions.map(({ step }) => step)).toEqual(['LIMIT_CUT']);
    expect(await codeOf(stage.flow.decide(stage.subject, twice.request.id, true, 'ben'))).toBe('restriction.ended');
    await stage.flow.decide(stage.subject, twice.request.id, false, 'ben');
    expect(await stage.lists.waitingOrders(10)).toEqual([]);

    expect((await stage.lists.openRetractions(10)).map(({ participant, restriction }) => [participant, restriction]).sort()).toEqual([
      ['bank-x', id],
      ['bank-y', id],
    ]);
    const [toX] = await hear(stage, 'bank-x');
    expect(toX).toMatchObject({ kind: 'restriction.lifted', body: { why: 'LIFTED' } });
    expect(await stage.lists.openRetractions(10)).toMatchObject([{ participant: 'bank-y', subject: stage.subject, failures: 0 }]);
    const [toY] = await hear(stage, 'bank-y');
    expect(toY?.body['restriction']).not.toBe(toX?.body['restriction']);
    expect(await stage.lists.openRetractions(10)).toEqual([]);
  });

  it('are refused what does not exist', async () => {
    const rows: [StaffAction, string][] = [
      [{ kind: 'LIFT', restriction: jtiOf(77) }, 'restriction.unknown'],
      [{ kind: 'UPHOLD', restriction: jtiOf(77) }, 'appeal.unknown'],
    ];
    for (const [action, code] of rows) expect(await codeOf(orderIn(stage, action))).toBe(code);
    const stranger = { ...stage.subject, uuid: jtiOf(99) };
    expect(await codeOf(stage.flow.order(stranger, { order: { action: rows[0]![0], ...about }, by: 'ann', key: 'k' }))).toBe(
      'subject.unknown',
    );
    expect(await stage.lists.ofSubject(stranger)).toBeUndefined();
  });

  it('end by themselves at their second, and the history says so', async () => {
    const endsAt = startAt.getTime() + 7 * DAY_MS;
    stage.world.clock.set(new Date(endsAt - 1));
    await stage.world.review.run();
    expect((await standing()).restrictions).toHaveLength(1);
    stage.world.clock.set(new Date(endsAt));
    // Two sweeps at once do it once.
    await Promise.all([stage.world.review.run(), stage.world.review.run()]);
    expect((await standing()).restrictions).toEqual([]);
    expect(await hear(stage, 'bank-x')).toMatchObject([{ kind: 'restriction.lifted', body: { why: 'ENDED' } }]);
    const history = await stage.lists.ofSubject(stage.subject);
    // Both began in the same millisecond, so either may come first.
    expect(history?.map(({ restriction, liftedWhy }) => [restriction.step, liftedWhy]).sort()).toEqual([
      ['CLOSURE', 'LIFTED'],
      ['LIMIT_CUT', 'ENDED'],
    ]);
    await hear(stage, 'bank-y');
    stage.world.clock.set(startAt);
  });
}

function aboutAppeals(stage: Stage): void {
  const wish = { caller: 'wallet', key: 'appeal-0001', grounds: { code: 'NOT_ME', evidenceDigest: 'd'.repeat(64) } };
  let restriction: string;
  let report: () => ReturnType<ExchangeWorld['record']>;

  beforeAll(async () => {
    await newCustomer(stage);
    const { world, subject } = stage;
    const ref = (await world.subjects.link(subject, { participant: 'bank-y' })).link.ref;
    report = () => world.record('bank-y', ref, ++n, { kind: 'violation', violation: violation('MAJOR', world.clock.now()) });
    await world.send(report());
    restriction = (await world.standing(subject)).restrictions[0]!.id;
    await Promise.all([world.hear('bank-x'), world.hear('bank-y')]);
  });

  it('are brought once for each restriction, and due in business days', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => stage.flow.appeal(stage.subject, restriction, wish)));
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    // From Saturday the 21st: ten business days, to the end of Friday 4 December.
    expect(answers[0]!.appeal).toMatchObject({
      state: 'OPEN',
      dueAt: new Date('2026-12-05T00:00:00Z'),
      remindAt: new Date('2026-12-03T00:00:00Z'),
    });
    expect(await stage.lists.openAppeals(10)).toMatchObject([{ restriction, subject: stage.subject }]);
    const rows: [change: object, code: string][] = [
      [{ grounds: { code: 'OTHER' } }, 'idempotency.key_reused'],
      [{ key: 'appeal-0002' }, 'appeal.exists'],
      [{ caller: 'checkout' }, 'appeal.exists'],
    ];
    for (const [change, code] of rows)
      expect(await codeOf(stage.flow.appeal(stage.subject, restriction, { ...wish, ...change }))).toBe(code);
    expect(await codeOf(stage.flow.appeal(stage.subject, jtiOf(5), wish))).toBe('restriction.unknown');
  });

  it('are brought to the mind of staff, once', async () => {
    stage.world.clock.set(new Date('2026-12-02T23:59:59.999Z'));
    expect(await stage.flow.remind(stage.lists)).toEqual([]);
    stage.world.clock.advance(1);
    const reminded = await Promise.all([stage.flow.remind(stage.lists), stage.flow.remind(stage.lists)]);
    expect(reminded.flat()).toHaveLength(1);
    expect(await stage.flow.remind(stage.lists)).toEqual([]);
    stage.world.clock.set(startAt);
  });

  it('that are upheld leave the restriction where it is', async () => {
    const { version } = await stage.world.standing(stage.subject);
    const { request } = await orderIn(stage, { kind: 'UPHOLD', restriction });
    expect([request.state, (await stage.world.standing(stage.subject)).version]).toEqual(['DONE', version]);
    expect(await codeOf(orderIn(stage, { kind: 'OVERTURN', restriction }))).toBe('appeal.answered');
    expect((await stage.lists.ofSubject(stage.subject))?.[0]?.appeal?.state).toBe('UPHELD');
  });

  it('that are successful lift the restriction for good, and the banks are told', async () => {
    stage.world.clock.advance(1_000);
    const record = report();
    await stage.world.send({ ...record, kind: 'violation', violation: { ...violation('MINOR', startAt), code: 'OTHER' } } as typeof record);
    const found = (await stage.world.standing(stage.subject)).restrictions.find(({ reason }) => reason.code === 'OTHER')!;
    await stage.flow.appeal(stage.subject, found.id, { ...wish, key: 'appeal-0003' });
    await Promise.all([stage.world.hear('bank-x'), stage.world.hear('bank-y')]);
    const { request } = await orderIn(stage, { kind: 'OVERTURN', restriction: found.id });
    expect(request.state).toBe('WAITING');
    await stage.flow.decide(stage.subject, request.id, true, 'ben');
    for (const bank of ['bank-x', 'bank-y'])
      expect(await hear(stage, bank)).toMatchObject([{ kind: 'restriction.lifted', body: { why: 'OVERTURNED' } }]);
    expect((await stage.world.standing(stage.subject)).restrictions.map(({ id }) => id)).toEqual([restriction]);
    // The violation is still in force: no later judgement imposes again what was overturned.
    await stage.world.send(stage.world.record('bank-y', (await linkOf(stage)).ref, ++n, { kind: 'rating', rating: RATING }));
    expect((await stage.world.standing(stage.subject)).restrictions.map(({ id }) => id)).toEqual([restriction]);
    expect(formatId('rst', { shard: stage.subject.shard, uuid: found.id })).toMatch(/^rst_/);
  });

  it('come too late after their clock', async () => {
    stage.world.clock.set(new Date(startAt.getTime() + 31 * DAY_MS));
    const { request } = await orderIn(stage, { kind: 'IMPOSE', sanction: { step: 'WARN', services: [] } });
    expect(request.state).toBe('DONE');
    const warning = (await stage.world.standing(stage.subject)).restrictions.find(({ step }) => step === 'WARN')!;
    stage.world.clock.set(warning.appealUntil!);
    expect(await codeOf(stage.flow.appeal(stage.subject, warning.id, { ...wish, key: 'appeal-0004' }))).toBe('appeal.too_late');
    stage.world.clock.set(startAt);
  });
}

const RATING = {
  score: 800,
  scale: { min: 350, max: 950 },
  band: 'A',
  factors: [{ code: 'LONG_HISTORY', text: 'long, clean history' }],
  model: { id: 'toy-bank-model', version: '2026.1' },
};

async function linkOf({ world, subject }: Stage) {
  return (await world.subjects.link(subject, { participant: 'bank-y' })).link;
}
