import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import {
  activatePolicy,
  approvePolicy,
  carryOutSchedule,
  draftPolicy,
  liesAhead,
  parsePerson,
  type PolicyChange,
  type PolicyState,
  type PolicyVersion,
  retirePolicy,
  schedulePolicy,
  shadowPolicy,
  shadowsMax,
} from './lifecycle.js';

const AT = new Date('2026-11-22T08:00:00Z');
const SOON = new Date('2026-11-22T08:00:01Z');
const STATES: PolicyState[] = ['DRAFT', 'SHADOW', 'APPROVED', 'ACTIVE', 'RETIRED'];

function version(state: PolicyState, change: Partial<PolicyVersion> = {}): PolicyVersion {
  const approved = state === 'DRAFT' || state === 'SHADOW' ? undefined : AT;
  return {
    version: 2n,
    id: 'house',
    hash: 'h2',
    text: '{}',
    state,
    author: 'ann',
    draftedAt: AT,
    shadowedAt: state === 'SHADOW' ? AT : undefined,
    approver: approved && 'ben',
    approvedAt: approved,
    activateAt: undefined,
    shadowedBy: undefined,
    scheduledBy: undefined,
    activatedBy: undefined,
    retiredBy: undefined,
    activatedAt: state === 'ACTIVE' ? AT : undefined,
    retiredAt: state === 'RETIRED' ? AT : undefined,
    ...change,
  };
}

const active = version('ACTIVE', { version: 1n, hash: 'h1' });

/** What a step makes of a version: its next state, the same, or the refusal's code. */
function outcome(step: () => PolicyChange | undefined): string {
  try {
    return step()?.versions.at(-1)!.state ?? 'same';
  } catch (error) {
    return error instanceof Refusal ? error.code : 'defect';
  }
}

const STEPS: Readonly<Record<string, (known: PolicyVersion) => PolicyChange | undefined>> = {
  shadow: (known) => shadowPolicy(known, shadowsMax - 1, 'dan', AT),
  'shadow, one too many': (known) => shadowPolicy(known, shadowsMax, 'dan', AT),
  'approve by another': (known) => approvePolicy(known, 'cem', AT),
  'approve by its approver': (known) => approvePolicy(known, 'ben', AT),
  'approve by its author': (known) => approvePolicy(known, 'ann', AT),
  schedule: (known) => schedulePolicy(known, SOON, 'dan'),
  activate: (known) => activatePolicy(known, active, 'dan', AT),
  retire: (known) => retirePolicy(known, 'dan', AT),
};

describe('the life of a policy', () => {
  it.each<[step: string, ...outcomes: string[]]>([
    // DRAFT, SHADOW, APPROVED, ACTIVE, RETIRED (never active)
    ['shadow', 'SHADOW', 'same', 'policy.state', 'policy.state', 'policy.state'],
    ['shadow, one too many', 'policy.shadows_full', 'same', 'policy.state', 'policy.state', 'policy.state'],
    ['approve by another', 'APPROVED', 'APPROVED', 'policy.state', 'policy.state', 'policy.state'],
    ['approve by its approver', 'APPROVED', 'APPROVED', 'same', 'policy.state', 'policy.state'],
    ['approve by its author', 'policy.four_eyes', 'policy.four_eyes', 'policy.four_eyes', 'policy.four_eyes', 'policy.four_eyes'],
    ['schedule', 'policy.state', 'policy.state', 'APPROVED', 'policy.state', 'policy.state'],
    ['activate', 'policy.state', 'policy.state', 'ACTIVE', 'same', 'policy.state'],
    ['retire', 'RETIRED', 'RETIRED', 'RETIRED', 'policy.in_force', 'same'],
  ])('%s', (step, ...expected) => {
    expect(STATES.map((state) => outcome(() => STEPS[step]!(version(state))))).toEqual(expected);
  });

  it.each<[name: string, known: PolicyVersion, now: PolicyVersion | undefined, expected: string]>([
    ['its time has come', version('APPROVED', { activateAt: AT }), active, 'ACTIVE'],
    ['its time has come and nothing is active', version('APPROVED', { activateAt: AT }), undefined, 'ACTIVE'],
    ['its time has not come', version('APPROVED', { activateAt: SOON }), active, 'same'],
    ['it has no time', version('APPROVED'), active, 'same'],
    ['another process was faster', version('ACTIVE', { activateAt: AT }), version('ACTIVE'), 'same'],
    ['a later version is active', version('APPROVED', { activateAt: AT }), version('ACTIVE', { version: 3n }), 'RETIRED'],
  ])('a schedule is carried out: %s', (_name, known, now, expected) => {
    expect(outcome(() => carryOutSchedule(known, now, AT))).toBe(expected);
  });

  it.each<[name: string, secondsAhead: number, expected: boolean | string]>([
    ['ahead', 1, true],
    ['now', 0, false],
    ['a minute ago, as clocks and forms go', -60, false],
    ['longer ago', -61, 'policy.activation_past'],
    ['last year', -365 * 86_400, 'policy.activation_past'],
  ])('a set time that lies %s', (_name, secondsAhead, expected) => {
    const judge = () => liesAhead(new Date(AT.getTime() + secondsAhead * 1_000), AT);
    if (typeof expected === 'string') expect(judge).toThrow(expect.objectContaining({ kind: 'unprocessable', code: expected }));
    else expect(judge()).toBe(expected);
  });

  it('an activation says what it replaces, and the fact of each is on the policy’s shard', () => {
    const { versions, facts } = activatePolicy(version('APPROVED'), active, 'dan', SOON)!;
    expect(versions.map(({ version: n, state }) => [n, state])).toEqual([
      [1n, 'RETIRED'],
      [2n, 'ACTIVE'],
    ]);
    expect(facts.map(({ kind, body }) => [kind, body])).toEqual([
      ['policy.retired', { policy: 'house', version: '1', hash: 'h1', author: 'ann', approver: 'ben', by: 'dan', replacedBy: '2' }],
      ['policy.activated', { policy: 'house', version: '2', hash: 'h2', author: 'ann', approver: 'ben', by: 'dan', replaces: '1' }],
    ]);
  });

  it('every step says who took it, in the version and in its fact', () => {
    const signed = (change: PolicyChange | undefined) => [change!.versions.at(-1), change!.facts.at(-1)!.body['by']];
    expect(signed(shadowPolicy(version('DRAFT'), 0, 'dan', AT))).toEqual([expect.objectContaining({ shadowedBy: 'dan' }), 'dan']);
    const waiting = schedulePolicy(version('APPROVED'), SOON, 'dan');
    expect(signed(waiting)).toEqual([expect.objectContaining({ scheduledBy: 'dan' }), 'dan']);
    // The worker carries out what a person set.
    const due = carryOutSchedule(waiting.versions[0], active, SOON);
    expect(signed(due)).toEqual([expect.objectContaining({ activatedBy: 'dan' }), 'dan']);
    expect(due!.versions[0]).toMatchObject({ version: 1n, state: 'RETIRED', retiredBy: 'dan' });
    expect(signed(retirePolicy(version('DRAFT'), 'dan', AT))).toEqual([expect.objectContaining({ retiredBy: 'dan' }), 'dan']);
    // Set by a release that did not ask who: not known, and not invented.
    expect(carryOutSchedule(version('APPROVED', { activateAt: AT }), undefined, SOON)!.facts.at(-1)!.body).not.toHaveProperty('by');
  });

  it('a version that was active once may come back', () => {
    expect(outcome(() => activatePolicy(version('RETIRED', { activatedAt: AT }), active, 'dan', SOON))).toBe('ACTIVE');
  });

  it('a draft with a known version is the same or refused', () => {
    const again = (hash: string) => outcome(() => draftPolicy(version('ACTIVE'), { version: 2n, id: 'house', hash, text: '' }, 'ann', AT));
    expect([again('h2'), again('other')]).toEqual(['same', 'policy.version_taken']);
  });

  it.each(['Ann', 'ann ', 'a', '', 'änn', '-ann'])('%j is nobody’s name', (name) => {
    expect(() => parsePerson(name)).toThrow(expect.objectContaining({ code: 'policy.person_malformed' }));
  });
});
