import { describe, expect, it } from 'vitest';
import { activate, confirmClosing, proposeClosing, scheduleSuspension, suspend, withdrawClosing } from './change-state.js';
import { enrolParticipant } from './enrol-participant.js';
import type { Participant } from './participant.js';
import { passTime } from './pass-time.js';
import { RegistryView } from './registry-view.js';
import { anEnrolment, AT } from './testing/builders.js';

const DAY_MS = 86_400_000;
const after = (ms: number) => new Date(AT.getTime() + ms);
const presented = { x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1' };
const enrolled = enrolParticipant(undefined, anEnrolment(), AT).next;
const active = activate(enrolled, 'checked', 'otto', AT).next;
const suspended = suspend(active, 'audit', 'otto', AT).next;

describe('closing', () => {
  const proposed = proposeClosing(suspended, 'merged', 'otto', AT).next;

  it('takes two persons, and the fact names both', () => {
    const { next, facts } = confirmClosing(proposed, 'ada', after(DAY_MS));
    expect(next).toMatchObject({ state: 'CLOSED', stateReason: 'merged' });
    expect(next.closing).toBeUndefined();
    expect(facts).toEqual([
      expect.objectContaining({ kind: 'participant.closed', body: expect.objectContaining({ proposedBy: 'otto', by: 'ada' }) }),
    ]);
  });

  const rows: [what: string, code: string, act: () => unknown][] = [
    ['by the same person', 'closing.same_person', () => confirmClosing(proposed, 'otto', AT)],
    ['that nobody proposed', 'closing.not_proposed', () => confirmClosing(suspended, 'ada', AT)],
    ['proposed too long ago', 'closing.not_proposed', () => confirmClosing(proposed, 'ada', after(7 * DAY_MS + 1))],
    ['withdrawn by nobody’s proposal', 'closing.not_proposed', () => withdrawClosing(suspended, 'ada', AT)],
    ['proposed twice', 'closing.proposed', () => proposeClosing(proposed, 'again', 'ada', AT)],
    ['withdrawn meanwhile', 'closing.not_proposed', () => confirmClosing(withdrawClosing(proposed, 'ada', AT).next, 'ada', AT)],
    ['of somebody at work', 'participant.transition', () => proposeClosing(active, 'merged', 'otto', AT)],
    [
      'after it was lifted again',
      'participant.transition',
      () => confirmClosing(activate(proposed, 'sorted out', 'otto', AT).next, 'ada', AT),
    ],
  ];
  it.each(rows)('%s is refused as %s', (_what, code, act) => expect(act).toThrow(code));

  it('may be proposed anew when the first proposal ran out', () => {
    expect(proposeClosing(proposed, 'again', 'otto', after(7 * DAY_MS + 1)).next.closing).toMatchObject({ reason: 'again' });
  });
});

describe('a suspension that is set for a time', () => {
  const set = scheduleSuspension(active, after(60_000), 'audit', 'otto', AT).next;
  const identify = (known: Participant, at: Date) => () => new RegistryView([known]).identify(presented, at).id;

  it('holds from that moment on, whether or not it is written down', () => {
    expect(identify(set, after(59_999))()).toBe('bank-a');
    expect(identify(set, after(60_000))).toThrow('participant.suspended');
  });

  it('is written down by time, once', () => {
    expect(passTime(set, after(59_999))).toBeUndefined();
    const { next, facts } = passTime(set, after(60_000))!;
    expect(next).toMatchObject({ state: 'SUSPENDED', stateReason: 'audit' });
    expect(facts.map(({ kind }) => kind)).toEqual(['participant.suspended']);
    expect(passTime(next, after(60_000))).toBeUndefined();
  });

  it('ends with a suspension at once, and does not come back when that is lifted', () => {
    const lifted = activate(suspend(set, 'now', 'otto', AT).next, 'sorted out', 'otto', AT).next;
    expect(identify(lifted, after(60_000))()).toBe('bank-a');
  });

  it('cannot be set for the past, nor for somebody who does not work', () => {
    expect(() => scheduleSuspension(active, AT, 'audit', 'otto', AT)).toThrow('participant.suspension_past');
    expect(() => scheduleSuspension(enrolled, after(1), 'audit', 'otto', AT)).toThrow('participant.transition');
  });
});
