import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StaffAccount } from '../account.js';
import { SESSION_IDLE_MS, SESSION_KEPT_MS } from '../session.js';
import { countAttempt } from '../sign-in-brake.js';
import { accountCreated, accountDisabled, accountEnabled, passwordReset, signedIn, signedOut } from '../staff-facts.js';
import type { BrakeKey, NewSession, StaffStore } from '../store.js';

const AT = new Date('2026-11-21T08:00:00Z');

interface Opened {
  readonly store: StaffStore;
  countFacts(kind: string): Promise<number>;
}

/** What every staff store promises. */
export function staffStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`staff store: ${name}`, () => {
    sessionPromises(open);
    brakePromises(open);
  });
}

const member = ({ id, account: { id: accountId, name, role } }: NewSession) => ({ id: accountId, name, role, sessionId: id });

async function addAda(store: StaffStore): Promise<StaffAccount> {
  const id = randomUUID();
  const account: StaffAccount = { id, name: `ada-${id.slice(0, 8)}`, role: 'risk', state: 'ACTIVE', passwordHash: 'h' };
  await store.addAccount(account, AT, [accountCreated(id, account.role)]);
  return account;
}

async function openSession(
  store: StaffStore,
  account: StaffAccount,
  counted = { clear: 'name:x', giveBack: ['address:x'] },
  createdAt = AT,
): Promise<NewSession> {
  const session = { id: randomUUID(), account, tokenDigest: new Uint8Array(randomBytes(32)), createdAt, seenAt: createdAt };
  expect(await store.openSession(session, counted, [signedIn(member(session))])).toBe(true);
  return session;
}

function sessionPromises(open: () => Promise<Opened>): void {
  let opened: Opened;
  let account: StaffAccount;
  beforeEach(async () => {
    opened = await open();
    account = await addAda(opened.store);
  });

  it('keeps one account per name and says so without a fact', async () => {
    const before = await opened.countFacts('staff.account_created');
    const again = { ...account, id: randomUUID() };
    expect(await opened.store.addAccount(again, AT, [accountCreated(again.id, 'risk')])).toBe(false);
    expect(await opened.store.findAccount(account.name)).toEqual(account);
    expect(await opened.countFacts('staff.account_created')).toBe(before);
  });

  it('finds a session only by its digest', async () => {
    const session = await openSession(opened.store, account);
    expect(await opened.store.findSession(session.tokenDigest)).toMatchObject({ id: session.id, account, createdAt: AT });
    expect(await opened.store.findSession(new Uint8Array(32))).toBeUndefined();
  });

  it('ends a session once', async () => {
    const session = await openSession(opened.store, account);
    const before = await opened.countFacts('staff.signed_out');
    await opened.store.endSession(session.id, AT, [signedOut(member(session))]);
    await opened.store.endSession(session.id, new Date(AT.getTime() + 1), [signedOut(member(session))]);
    expect((await opened.store.findSession(session.tokenDigest))?.endedAt).toEqual(AT);
    expect(await opened.countFacts('staff.signed_out')).toBe(before + 1);
  });

  it('disables an account once, ends its sessions for good, and enables it again', async () => {
    const session = await openSession(opened.store, account);
    const { id } = account;
    const before = await opened.countFacts('staff.account_disabled');
    expect(await opened.store.changeState(id, 'DISABLED', AT, [accountDisabled(id)])).toBe(true);
    expect(await opened.store.changeState(id, 'DISABLED', AT, [accountDisabled(id)])).toBe(false);
    expect(await opened.countFacts('staff.account_disabled')).toBe(before + 1);
    expect(await opened.store.findSession(session.tokenDigest)).toMatchObject({ endedAt: AT, account: { state: 'DISABLED' } });
    expect(await opened.store.changeState(id, 'ACTIVE', AT, [accountEnabled(id)])).toBe(true);
    expect(await opened.store.findSession(session.tokenDigest)).toMatchObject({ endedAt: AT, account: { state: 'ACTIVE' } });
  });

  it.each<[string, (store: StaffStore, id: string) => Promise<unknown>]>([
    ['was disabled', (store, id) => store.changeState(id, 'DISABLED', AT, [accountDisabled(id)])],
    ['got another password', (store, id) => store.replacePassword(id, 'h2', AT, [passwordReset(id)])],
  ])('opens no session for an account that %s while its password was looked at', async (_, change) => {
    await change(opened.store, account.id);
    const before = await opened.countFacts('staff.signed_in');
    const session = { id: randomUUID(), account, tokenDigest: new Uint8Array(randomBytes(32)), createdAt: AT, seenAt: AT };
    expect(await opened.store.openSession(session, { clear: 'name:x', giveBack: [] }, [signedIn(member(session))])).toBe(false);
    expect(await opened.store.findSession(session.tokenDigest)).toBeUndefined();
    expect(await opened.countFacts('staff.signed_in')).toBe(before);
  });

  it('lists accounts with the sessions that are open', async () => {
    const listed = async (at: Date) => (await opened.store.listAccounts(at)).find((one) => one.account.id === account.id);
    expect(await listed(AT)).toEqual({ account, createdAt: AT, openSessions: 0, lastSignedInAt: undefined });
    await openSession(opened.store, account);
    const ended = await openSession(opened.store, account);
    await opened.store.endSession(ended.id, AT, [signedOut(member(ended))]);
    expect(await listed(AT)).toMatchObject({ openSessions: 1, lastSignedInAt: AT });
    expect(await listed(new Date(AT.getTime() + SESSION_IDLE_MS))).toMatchObject({ openSessions: 0, lastSignedInAt: AT });
  });

  it('forgets sessions of long ago, but the last of each account', async () => {
    const other = await addAda(opened.store);
    const openedAt = (owner: StaffAccount, ms: number) => openSession(opened.store, owner, undefined, new Date(AT.getTime() + ms));
    const old = await openedAt(account, -2);
    await opened.store.endSession(old.id, AT, [signedOut(member(old))]);
    const kept = [await openedAt(account, 0), await openedAt(account, 1), await openedAt(other, -2)];
    expect(await opened.store.forgetSessions(new Date(AT.getTime() + SESSION_KEPT_MS))).toBeGreaterThanOrEqual(1);
    expect(await opened.store.findSession(old.tokenDigest)).toBeUndefined();
    for (const { id, tokenDigest } of kept) expect(await opened.store.findSession(tokenDigest)).toMatchObject({ id });
    const listed = await opened.store.listAccounts(AT);
    expect(listed.find((one) => one.account.id === other.id)?.lastSignedInAt).toEqual(new Date(AT.getTime() - 2));
    expect(await opened.store.forgetSessions(new Date(AT.getTime() + SESSION_KEPT_MS))).toBe(0);
  });

  it('ends every session with the old password', async () => {
    const session = await openSession(opened.store, account);
    await opened.store.replacePassword(account.id, 'h2', AT, [passwordReset(account.id)]);
    expect(await opened.store.findSession(session.tokenDigest)).toMatchObject({ endedAt: AT, account: { passwordHash: 'h2' } });
  });
}

function brakePromises(open: () => Promise<Opened>): void {
  let store: StaffStore;
  beforeEach(async () => void ({ store } = await open()));

  it('counts parallel attempts one by one and counts nothing when it refuses', async () => {
    const keys: BrakeKey[] = [{ key: `name:${randomUUID()}`, rule: (known) => countAttempt(known, AT, { freeFailures: 3 }) }];
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.countAttempt(keys)));
    expect(answers.filter((answer) => 'next' in answer)).toHaveLength(3);
    expect(await store.countAttempt(keys)).toEqual({ waitMs: 5_000 });
  });

  it('forgets the failures of a name when its owner signs in', async () => {
    const [name, address] = [`name:${randomUUID()}`, `address:${randomUUID()}`];
    const count = (key: string) => store.countAttempt([{ key, rule: (known) => countAttempt(known, AT, { freeFailures: 9 }) }]);
    for (const key of [name, name, address, address]) await count(key);
    await openSession(store, await addAda(store), { clear: name, giveBack: [address] });
    expect(await count(name)).toMatchObject({ next: { failures: 1 } });
    expect(await count(address)).toMatchObject({ next: { failures: 2 } });
  });
}
