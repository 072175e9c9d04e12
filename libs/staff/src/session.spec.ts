import { describe, expect, it } from 'vitest';
import { requireLive, requirePermission, SESSION_AGE_MS, SESSION_IDLE_MS, type StaffSession, wantsTouch } from './session.js';

const START = new Date('2026-11-21T08:00:00Z');
const after = (ms: number) => new Date(START.getTime() + ms);
const session: StaffSession = {
  id: 's1',
  account: { id: 'a1', name: 'ada', role: 'risk', state: 'ACTIVE', passwordHash: '' },
  createdAt: START,
  seenAt: START,
};

describe('a session', () => {
  it.each<[string, StaffSession | undefined, Date, string | undefined]>([
    ['is live while used', session, after(60_000), undefined],
    ['is live one moment before the idle limit', session, after(SESSION_IDLE_MS - 1), undefined],
    ['ends after the idle limit', session, after(SESSION_IDLE_MS), 'session.idle'],
    ['ends after its age however busy', { ...session, seenAt: after(SESSION_AGE_MS) }, after(SESSION_AGE_MS), 'session.expired'],
    ['does not exist', undefined, START, 'session.missing'],
    ['was signed out', { ...session, endedAt: START }, START, 'session.missing'],
    ['belongs to a disabled account', { ...session, account: { ...session.account, state: 'DISABLED' } }, START, 'session.missing'],
  ])('%s', (_, known, at, code) => {
    const judge = () => requireLive(known, at);
    if (code) expect(judge).toThrow(expect.objectContaining({ code }));
    else expect(judge()).toEqual({ id: 'a1', name: 'ada', role: 'risk', sessionId: 's1' });
  });

  it('is touched rarely', () => {
    expect(wantsTouch(session, after(5_000))).toBe(false);
    expect(wantsTouch(session, after(20_000))).toBe(true);
  });

  it('names the permission that the role lacks', () => {
    const member = requireLive(session, START);
    expect(() => requirePermission(member, 'decisions.read')).not.toThrow();
    expect(() => requirePermission(member, 'audit.export')).toThrow(expect.objectContaining({ code: 'role.forbidden', kind: 'forbidden' }));
  });
});
