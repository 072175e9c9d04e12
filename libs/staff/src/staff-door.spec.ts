import { beforeEach, describe, expect, it } from 'vitest';
import { SESSION_IDLE_MS } from './session.js';
import { StaffDoor } from './staff-door.js';
import type { StaffSecrets } from './store.js';
import { MemoryStaffStore } from './testing/memory-staff-store.js';
import { staffStoreContract } from './testing/staff-store-contract.js';

const START = new Date('2026-11-21T08:00:00Z');
const after = (ms: number) => new Date(START.getTime() + ms);

/** Secrets one can read: a hash is the password behind a hash sign. */
function plainSecrets(): StaffSecrets {
  let made = 0;
  const digestToken = (token: string) => new TextEncoder().encode(token.padEnd(32));
  return {
    newId: () => `id-${++made}`,
    newToken: () => ({ token: `token-${++made}`, digest: digestToken(`token-${made}`) }),
    digestToken,
    hashPassword: async (password) => `#${password}`,
    matchesPassword: async (password, hash) => `#${password}` === hash,
  };
}

staffStoreContract('memory', async () => {
  const store = new MemoryStaffStore();
  return { store, countFacts: async (kind) => store.facts.filter((fact) => fact.kind === kind).length };
});

describe('the staff door', () => {
  let store: MemoryStaffStore;
  let door: StaffDoor;
  const attempt = (password: string, at = START, name = 'ada') => door.signIn({ name, password, address: '192.0.2.1' }, at);
  const kinds = () => store.facts.map((fact) => fact.kind);

  beforeEach(async () => {
    store = new MemoryStaffStore();
    door = new StaffDoor(store, plainSecrets());
    const ada = { id: 'a1', name: 'ada', role: 'auditor', state: 'ACTIVE', passwordHash: '#right' } as const;
    await store.addAccount(ada, START, [{ shard: 0, kind: 'seed', body: {} }]);
  });

  it('opens with the right password and tells it', async () => {
    const { token, member } = await attempt('right');
    expect(await door.authenticate(token, after(1000))).toEqual(member);
    expect(kinds()).toEqual(['seed', 'staff.signed_in']);
  });

  it('says the same about a wrong password and an unknown name, and repeats neither in its facts', async () => {
    const wrong = await attempt('wrong').catch((error: unknown) => error);
    const unknown = await attempt('hunter2', START, 'my-password-typed-here').catch((error: unknown) => error);
    expect(unknown).toEqual(wrong);
    expect(kinds()).toEqual(['seed', 'staff.sign_in_failed', 'staff.sign_in_failed']);
    expect(JSON.stringify(store.facts)).not.toMatch(/hunter2|typed-here|wrong/);
  });

  it('brakes a guesser without filling the log, and lets the owner in after the wait', async () => {
    for (let i = 0; i < 5; i++) await expect(attempt('wrong')).rejects.toMatchObject({ code: 'credentials.wrong' });
    for (let i = 0; i < 50; i++) {
      await expect(attempt('right')).rejects.toMatchObject({ code: 'sign_in.throttled', hints: { retryAfterSeconds: 5 } });
    }
    expect(kinds().filter((kind) => kind === 'staff.sign_in_failed')).toHaveLength(5);
    await expect(attempt('right', after(5_000))).resolves.toMatchObject({ member: { name: 'ada' } });
  });

  it('does not keep a session alive for a page that only waits', async () => {
    const { token } = await attempt('right');
    for (let minute = 1; minute < 15; minute++) await door.authenticate(token, after(minute * 60_000), true);
    await expect(door.authenticate(token, after(SESSION_IDLE_MS), true)).rejects.toMatchObject({ code: 'session.idle' });
  });

  it('keeps a session alive for a person who works', async () => {
    const { token } = await attempt('right');
    await door.authenticate(token, after(SESSION_IDLE_MS - 1));
    await expect(door.authenticate(token, after(SESSION_IDLE_MS + 60_000))).resolves.toMatchObject({ name: 'ada' });
  });

  it('closes at sign-out', async () => {
    const { token, member } = await attempt('right');
    await door.signOut(member, START);
    await expect(door.authenticate(token, START)).rejects.toMatchObject({ code: 'session.missing' });
    expect(kinds().at(-1)).toBe('staff.signed_out');
  });

  it('ends the session that the browser held, and only with the right password', async () => {
    const { token } = await attempt('right');
    const again = (password: string, heldToken: string) =>
      door.signIn({ name: 'ada', password, address: '192.0.2.1', heldToken }, START).catch(() => undefined);
    expect(await again('wrong', token)).toBeUndefined();
    await expect(door.authenticate(token, START)).resolves.toMatchObject({ name: 'ada' });
    const { token: next } = (await again('right', token))!;
    await expect(door.authenticate(token, START)).rejects.toMatchObject({ code: 'session.missing' });
    await expect(door.authenticate(next, START)).resolves.toMatchObject({ name: 'ada' });
    expect(kinds().slice(-2)).toEqual(['staff.signed_in', 'staff.signed_out']);
  });

  it('tells what was looked at on the shard of the subject, without the value', async () => {
    const { member } = await attempt('right');
    await door.noteViews(member, [{ what: 'decision', rows: 1, subject: { shard: 5, uuid: '0190a000-0000-7000-8000-000000000001' } }]);
    expect(store.facts.at(-1)).toEqual({
      shard: 5,
      kind: 'staff.viewed',
      subject: '0190a000-0000-7000-8000-000000000001',
      body: { staff: 'a1', role: 'auditor', what: 'decision', rows: 1 },
    });
  });
});
