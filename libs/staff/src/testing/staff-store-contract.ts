import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StaffAccount } from '../account.js';
import { countAttempt } from '../sign-in-brake.js';
import { accountCreated, signedIn, signedOut } from '../staff-facts.js';
import type { BrakeKey, NewSession, StaffStore } from '../store.js';

const AT = new Date('2026-11-21T08:00:00Z');

/** What every staff store promises. */
export function staffStoreContract(name: string, open: () => Promise<{ store: StaffStore; countFacts(kind: string): Promise<number> }>): void {
  describe(`staff store: ${name}`, () => {
    let store: StaffStore;
    let countFacts: (kind: string) => Promise<number>;
    let account: StaffAccount;

    beforeEach(async () => {
      ({ store, countFacts } = await open());
      account = { id: randomUUID(), name: `ada-${randomUUID().slice(0, 8)}`, role: 'risk', state: 'ACTIVE', passwordHash: 'h' };
      await store.addAccount(account, AT, [accountCreated(account.id, account.role)]);
    });

    const newSession = (): NewSession => ({
      id: randomUUID(),
      account,
      tokenDigest: new Uint8Array(32).map(() => Math.floor(Math.random() * 256)),
      createdAt: AT,
      seenAt: AT,
    });
    const member = (session: NewSession) => ({ id: account.id, name: account.name, role: account.role, sessionId: session.id });
    const openSession = async () => {
      const session = newSession();
      await store.openSession(session, { clear: 'name:x', giveBack: ['address:x'] }, [signedIn(member(session))]);
      return session;
    };

    it('keeps one account per name and says so without a fact', async () => {
      const before = await countFacts('staff.account_created');
      const again = { ...account, id: randomUUID() };
      expect(await store.addAccount(again, AT, [accountCreated(again.id, 'risk')])).toBe(false);
      expect(await store.findAccount(account.name)).toEqual(account);
      expect(await countFacts('staff.account_created')).toBe(before);
    });

    it('finds a session only by its digest', async () => {
      const session = await openSession();
      expect(await store.findSession(session.tokenDigest)).toMatchObject({ id: session.id, account, createdAt: AT });
      expect(await store.findSession(new Uint8Array(32))).toBeUndefined();
    });

    it('ends a session once', async () => {
      const session = await openSession();
      const before = await countFacts('staff.signed_out');
      await store.endSession(session.id, AT, [signedOut(member(session))]);
      await store.endSession(session.id, new Date(AT.getTime() + 1), [signedOut(member(session))]);
      expect((await store.findSession(session.tokenDigest))?.endedAt).toEqual(AT);
      expect(await countFacts('staff.signed_out')).toBe(before + 1);
    });

    it('ends every session with the old password', async () => {
      const session = await openSession();
      await store.replacePassword(account.id, 'h2', AT, [accountCreated(account.id, 'risk')]);
      expect(await store.findSession(session.tokenDigest)).toMatchObject({ endedAt: AT, account: { passwordHash: 'h2' } });
    });

    it('counts parallel attempts one by one and counts nothing when it refuses', async () => {
      const key = `name:${randomUUID()}`;
      const keys: BrakeKey[] = [{ key, rule: (known) => countAttempt(known, AT, { freeFailures: 3 }) }];
      const answers = await Promise.all(Array.from({ length: 10 }, () => store.countAttempt(keys)));
      expect(answers.filter((answer) => 'next' in answer)).toHaveLength(3);
      expect(await store.countAttempt(keys)).toEqual({ waitMs: 5_000 });
    });

    it('forgets the failures of a name when its owner signs in', async () => {
      const [name, address] = [`name:${randomUUID()}`, `address:${randomUUID()}`];
      const count = (key: string) => store.countAttempt([{ key, rule: (known) => countAttempt(known, AT, { freeFailures: 9 }) }]);
      for (const key of [name, name, address, address]) await count(key);
      const session = newSession();
      await store.openSession(session, { clear: name, giveBack: [address] }, [signedIn(member(session))]);
      expect(await count(name)).toMatchObject({ next: { failures: 1 } });
      expect(await count(address)).toMatchObject({ next: { failures: 2 } });
    });
  });
}
