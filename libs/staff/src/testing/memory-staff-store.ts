import type { Fact, Facts } from '#kernel';
import type { StaffAccount, StaffListing } from '../account.js';
import { SESSION_IDLE_MS, SESSION_KEPT_MS, type StaffSession } from '../session.js';
import type { Attempts, Braked } from '../sign-in-brake.js';
import type { BrakeKey, Counted, NewSession, StaffStore } from '../store.js';

const keyOf = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

/** Staff in memory, with the promises of `staffStoreContract`. */
export class MemoryStaffStore implements StaffStore {
  readonly facts: Fact[] = [];
  private readonly accounts = new Map<string, StaffAccount>();
  private readonly createdAt = new Map<string, Date>();
  private readonly sessions = new Map<string, StaffSession>();
  private readonly attempts = new Map<string, Attempts>();

  async findAccount(name: string): Promise<StaffAccount | undefined> {
    return [...this.accounts.values()].find((account) => account.name === name);
  }

  async addAccount(account: StaffAccount, at: Date, facts: Facts): Promise<boolean> {
    if (await this.findAccount(account.name)) return false;
    this.accounts.set(account.id, account);
    this.createdAt.set(account.id, at);
    this.facts.push(...facts);
    return true;
  }

  async replacePassword(accountId: string, passwordHash: string, at: Date, facts: Facts): Promise<void> {
    this.accounts.set(accountId, { ...this.accounts.get(accountId)!, passwordHash });
    this.endSessions(accountId, at);
    this.facts.push(...facts);
  }

  async changeState(accountId: string, state: StaffAccount['state'], at: Date, facts: Facts): Promise<boolean> {
    const account = this.accounts.get(accountId)!;
    if (account.state === state) return false;
    this.accounts.set(accountId, { ...account, state });
    if (state === 'DISABLED') this.endSessions(accountId, at);
    this.facts.push(...facts);
    return true;
  }

  async listAccounts(at: Date): Promise<StaffListing[]> {
    const sorted = [...this.accounts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return sorted.map((account) => {
      const sessions = [...this.sessions.values()].filter((session) => session.account.id === account.id);
      const open = sessions.filter(({ endedAt, seenAt }) => !endedAt && at.getTime() - seenAt.getTime() < SESSION_IDLE_MS);
      const last = sessions.map(({ createdAt }) => createdAt).sort((a, b) => b.getTime() - a.getTime())[0];
      return { account, createdAt: this.createdAt.get(account.id)!, openSessions: open.length, lastSignedInAt: last };
    });
  }

  private endSessions(accountId: string, at: Date): void {
    for (const [key, session] of this.sessions) {
      if (session.account.id === accountId) this.sessions.set(key, { ...session, endedAt: session.endedAt ?? at });
    }
  }

  async countAttempt(keys: readonly BrakeKey[]): Promise<Braked> {
    const judged = keys.map(({ key, rule }) => ({ key, braked: rule(this.attempts.get(key)) }));
    const waits = judged.flatMap(({ braked }) => ('waitMs' in braked ? [braked.waitMs] : []));
    if (waits.length > 0) return { waitMs: Math.max(...waits) };
    for (const { key, braked } of judged) if ('next' in braked) this.attempts.set(key, braked.next);
    return judged[0]!.braked;
  }

  async openSession(session: NewSession, counted: Counted, facts: Facts): Promise<boolean> {
    const { state, passwordHash } = this.accounts.get(session.account.id)!;
    if (state !== 'ACTIVE' || passwordHash !== session.account.passwordHash) return false;
    this.attempts.delete(counted.clear);
    for (const key of counted.giveBack) {
      const shared = this.attempts.get(key);
      if (shared) this.attempts.set(key, { ...shared, failures: shared.failures - 1 });
    }
    const { tokenDigest, ...stored } = session;
    this.sessions.set(keyOf(tokenDigest), stored);
    this.facts.push(...facts);
    return true;
  }

  async findSession(tokenDigest: Uint8Array): Promise<StaffSession | undefined> {
    const session = this.sessions.get(keyOf(tokenDigest));
    return session && { ...session, account: this.accounts.get(session.account.id)! };
  }

  async touchSession(sessionId: string, at: Date): Promise<void> {
    this.change(sessionId, (session) => ({ ...session, seenAt: at }));
  }

  async endSession(sessionId: string, at: Date, facts: Facts): Promise<void> {
    if (this.change(sessionId, (session) => (session.endedAt ? session : { ...session, endedAt: at }))) this.facts.push(...facts);
  }

  async forgetSessions(at: Date): Promise<number> {
    const all = [...this.sessions];
    const old = all.filter(
      ([, { account, createdAt }]) =>
        at.getTime() - createdAt.getTime() > SESSION_KEPT_MS &&
        all.some(([, other]) => other.account.id === account.id && other.createdAt > createdAt),
    );
    for (const [key] of old) this.sessions.delete(key);
    return old.length;
  }

  async saveFacts(facts: Facts): Promise<void> {
    this.facts.push(...facts);
  }

  private change(sessionId: string, next: (session: StaffSession) => StaffSession): boolean {
    for (const [key, session] of this.sessions) {
      if (session.id !== sessionId) continue;
      const changed = next(session);
      this.sessions.set(key, changed);
      return changed !== session;
    }
    return false;
  }
}
