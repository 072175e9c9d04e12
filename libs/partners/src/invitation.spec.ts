import { describe, expect, it } from 'vitest';
import { activate, confirmClosing, proposeClosing, suspend } from './change-state.js';
import { enrolParticipant } from './enrol-participant.js';
import { checkInvitation, type Invitation, type InvitationWish, inviteParticipant } from './invitation.js';
import { anEnrolment, AT } from './testing/builders.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const after = (ms: number) => new Date(AT.getTime() + ms);
const known = enrolParticipant(undefined, anEnrolment(), AT).next;
const closed = confirmClosing(
  proposeClosing(suspend(activate(known, 'checked', 'otto', AT).next, 'audit', 'otto', AT).next, 'merged', 'otto', AT).next,
  'ada',
  AT,
).next;

const wish = (change: Partial<InvitationWish> = {}): InvitationWish => ({
  participant: 'bank-a',
  name: 'Bank A',
  ttlMs: DAY_MS,
  activate: false,
  by: 'otto',
  ...change,
});

describe('inviting', () => {
  it.each([MINUTE_MS, 30 * DAY_MS])('for %i ms is possible', (ttlMs) => {
    const { next, facts } = inviteParticipant(undefined, wish({ ttlMs }), AT);
    expect(next).toMatchObject({ id: 'bank-a', name: 'Bank A', state: 'INVITED' });
    expect(facts).toMatchObject([{ kind: 'participant.invited', body: { by: 'otto', expiresAt: after(ttlMs).toISOString() } }]);
  });

  it.each([MINUTE_MS - 1, 30 * DAY_MS + 1, Number.NaN])('for %d ms is refused', (ttlMs) => {
    expect(() => inviteParticipant(undefined, wish({ ttlMs }), AT)).toThrow('invitation.ttl');
  });

  it('whoever is known needs no name and keeps its state; whoever is not known needs one', () => {
    const { name: _name, ...nameless } = wish();
    expect(inviteParticipant(known, nameless, AT).next).toMatchObject({ name: 'Bank A', state: 'ENROLLED', version: known.version + 1n });
    expect(() => inviteParticipant(undefined, nameless, AT)).toThrow('invitation.name');
  });

  it('whoever is closed is refused', () => {
    expect(() => inviteParticipant(closed, wish(), AT)).toThrow('participant.closed');
  });
});

describe('an invitation', () => {
  const open: Invitation = {
    digest: 'd',
    participant: 'bank-a',
    invitedBy: 'otto',
    activate: false,
    createdAt: AT,
    expiresAt: after(DAY_MS),
  };

  it('is good up to its end; once used, for seven days more to come back for the answer', () => {
    const used = { ...open, usedAt: after(DAY_MS) };
    expect(checkInvitation(open, after(DAY_MS))).toBe(open);
    expect(checkInvitation(used, after(8 * DAY_MS))).toBe(used);
    expect(() => checkInvitation(open, after(DAY_MS + 1))).toThrow('invitation.invalid');
    expect(() => checkInvitation(used, after(8 * DAY_MS + 1))).toThrow('invitation.invalid');
  });

  it('is not good once it was withdrawn, used or not', () => {
    expect(() => checkInvitation({ ...open, withdrawnAt: AT }, AT)).toThrow('invitation.invalid');
    expect(() => checkInvitation({ ...open, usedAt: AT, withdrawnAt: AT }, AT)).toThrow('invitation.invalid');
  });
});
