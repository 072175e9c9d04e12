import { describe, expect, it } from 'vitest';
import type { Severity } from '#contract';
import type { RecordInForce } from '#records';
import { climb, type LadderChange, type LadderState, NO_ORDERS, type Orders } from './climb.js';
import { BUILT_IN_LADDER, type Ladder } from './ladder.js';
import type { LiftedWhy } from './imposed.js';

const DAY_MS = 86_400_000;
const DAY_0 = new Date('2026-11-01T00:00:00Z');
const day = (n: number) => new Date(DAY_0.getTime() + n * DAY_MS);

const LADDER: Ladder = {
  ...BUILT_IN_LADDER,
  name: 'policy 7',
  rungs: [
    { id: 'warn', sanctions: [{ step: 'WARN', services: [], days: 10 }] },
    {
      id: 'cut',
      sanctions: [
        { step: 'LIMIT_CUT', services: [], limitPercent: 50, days: 30 },
        { step: 'BANK_NOTICE', services: [], days: 60 },
      ],
    },
    { id: 'stop', sanctions: [{ step: 'SERVICE_STOP', services: ['pay-later'], days: 90 }] },
  ],
  start: { MINOR: 'warn', MAJOR: 'cut', SEVERE: 'stop' },
  escalation: { withinDays: 20 },
};

function violation(
  n: number,
  occurred: number,
  more: { code?: string; severity?: Severity; jti?: string; validDays?: number } = {},
): RecordInForce {
  const { code = 'LATE', severity = 'MINOR', jti = `r${n}`, validDays = 400 } = more;
  const body = { code, severity, evidenceDigest: 'e'.repeat(64), occurredAt: day(occurred).toISOString() };
  return {
    iss: 'bank-a',
    jti,
    rootJti: `r${n}`,
    asOf: day(occurred),
    validUntil: day(validDays),
    body: { kind: 'violation', violation: body },
  };
}

const NOTHING: LadderState = { restrictions: [], judged: [] };
let ids = 0;

function step(state: LadderState, records: RecordInForce[], at: number, more: { ladder?: Ladder; orders?: Orders; why?: LiftedWhy } = {}) {
  const { ladder = LADDER, orders = NO_ORDERS, why = 'CLEARED' } = more;
  const valid = records.filter(({ validUntil }) => validUntil > day(at));
  return climb(state, valid, orders, { ladder, at: day(at), why, newId: () => `id${++ids}` });
}

const after = ({ kept, imposed, judged }: LadderChange): LadderState => ({ restrictions: [...kept, ...imposed], judged });
const steps = (list: readonly { step: string }[]) => list.map((one) => one.step);
const whys = ({ lifted }: LadderChange) => lifted.map(({ restriction, why }) => [restriction.step, why]);

describe('the ladder', () => {
  it('imposes everything that stands on the rung, with the terms of the ladder', () => {
    const { imposed } = step(NOTHING, [violation(1, 0, { severity: 'MAJOR' })], 1);
    expect(imposed).toMatchObject([
      { step: 'LIMIT_CUT', limitPercent: 50, ladder: 'policy 7', rung: 'cut', startsAt: day(1), endsAt: day(30), appealUntil: day(31) },
      { step: 'BANK_NOTICE', endsAt: day(60), evidence: { digest: 'e'.repeat(64), reference: 'record r1' }, cure: { code: 'CLEARANCE' } },
    ]);
    expect(imposed[0]).not.toHaveProperty('days');
  });

  const climbs: [what: string, earlier: RecordInForce, rung: string][] = [
    ['the same code within the days', violation(1, 0), 'cut'],
    ['the same code on the last of the days', violation(1, -5), 'cut'],
    ['the same code a day too early', violation(1, -6), 'warn'],
    ['another code', violation(1, 0, { code: 'OTHER' }), 'warn'],
    ['the same moment, told by two', violation(1, 15), 'warn'],
    ['one that occurred later', violation(1, 16), 'warn'],
  ];
  it.each(climbs)('a second violation after %s begins at its rung', (_, earlier, rung) => {
    const first = step(NOTHING, [earlier], 16);
    const { imposed } = step(after(first), [earlier, violation(2, 15)], 16);
    expect(imposed[0]?.rung).toBe(rung);
  });

  it('ends at its last rung', () => {
    const many = [0, 1, 2, 3, 4].map((n) => violation(n, n));
    expect(step(NOTHING, many, 5).imposed.map(({ rung }) => rung)).toEqual(['warn', 'cut', 'cut', 'stop', 'stop', 'stop']);
  });

  it('judges once: another ladder changes nothing that stands, and serves nothing twice', () => {
    const record = violation(1, 0);
    const first = after(step(NOTHING, [record], 1));
    const harder = { ...LADDER, name: 'policy 8', start: { ...LADDER.start, MINOR: 'stop' } };
    expect(step(first, [record], 2, { ladder: harder })).toMatchObject({ imposed: [], lifted: [] });
    const ended = step(first, [record], 10, { ladder: harder });
    expect(whys(ended)).toEqual([['WARN', 'ENDED']]);
    expect(step(after(ended), [record], 11, { ladder: harder })).toMatchObject({ imposed: [], lifted: [] });
    expect(step(first, [record, violation(2, 2, { code: 'NEW' })], 2, { ladder: harder }).imposed).toMatchObject([
      { ladder: 'policy 8', rung: 'stop' },
    ]);
  });

  it('lifts what has no ground any more, and judges anew what was corrected', () => {
    const first = after(step(NOTHING, [violation(1, 0)], 1));
    expect(whys(step(first, [], 2, { why: 'WITHDRAWN' }))).toEqual([['WARN', 'WITHDRAWN']]);
    const worse = step(first, [violation(1, 0, { severity: 'SEVERE', jti: 'r1b' })], 2);
    expect([whys(worse), steps(worse.imposed)]).toEqual([[['WARN', 'CORRECTED']], ['SERVICE_STOP']]);
    const same = step(first, [violation(1, 0, { jti: 'r1b' })], 2);
    expect([same.imposed, same.lifted]).toEqual([[], []]);
  });

  it('comes down where the violation it climbed for was taken back, not where that one ran out', () => {
    const [one, two] = [violation(1, 0, { validDays: 5 }), violation(2, 1)];
    const both = after(step(NOTHING, [one, two], 1));
    const takenBack = step(both, [two], 2, { why: 'WITHDRAWN' });
    expect(whys(takenBack)).toEqual([
      ['WARN', 'WITHDRAWN'],
      ['LIMIT_CUT', 'CORRECTED'],
      ['BANK_NOTICE', 'CORRECTED'],
    ]);
    expect(takenBack.imposed).toMatchObject([{ rung: 'warn' }]);
    expect(step(both, [one, two], 6).lifted.map(({ restriction }) => restriction.step)).toEqual(['WARN']);
  });

  it('obeys people: an overturned violation costs nothing, counts for nothing and stays so', () => {
    const record = violation(1, 0, { severity: 'MAJOR' });
    const state = after(step(NOTHING, [record], 1));
    const orders = { ...NO_ORDERS, overturned: [{ iss: 'bank-a', rootJti: 'r1' }] };
    const overturned = step(state, [record], 2, { orders, why: 'LIFTED' });
    expect(whys(overturned)).toEqual([
      ['LIMIT_CUT', 'OVERTURNED'],
      ['BANK_NOTICE', 'OVERTURNED'],
    ]);
    const corrected = violation(1, 0, { severity: 'SEVERE', jti: 'r1b' });
    const later = step(after(overturned), [corrected, violation(2, 3)], 4);
    expect(later.imposed).toMatchObject([{ rung: 'warn', cause: { rootJti: 'r2' } }]);
  });

  it('lifts one by hand and does not impose it again', () => {
    const record = violation(1, 0, { severity: 'MAJOR' });
    const state = after(step(NOTHING, [record], 1));
    const orders = { ...NO_ORDERS, lift: [{ id: state.restrictions[0]!.id, why: 'LIFTED' as const }] };
    const lifted = step(state, [record], 2, { orders, why: 'LIFTED' });
    expect([whys(lifted), steps(lifted.kept)]).toEqual([[['LIMIT_CUT', 'LIFTED']], ['BANK_NOTICE']]);
    expect(step(after(lifted), [record], 3)).toMatchObject({ imposed: [], lifted: [] });
  });
});
