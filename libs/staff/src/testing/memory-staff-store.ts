import type { Fact, Facts } from '#kernel';
import type { StaffAccount } from '../account.js';
import type { StaffSession } from '../session.js';
import type { Attempts, Braked } from '../sign-in-brake.js';
import type { BrakeKey, Counted, NewSession, StaffStore } from '../store.js';

const keyOf = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

/** Staff in memory, with the promises of `staffStoreContract`. */
export class MemoryStaffStore implements StaffStore {
  readonly facts: Fact[] = [];
  private readonly accounts = new Map<string, StaffAccount>();
  private readonly sessions = new Map<string, StaffSession>();
  private readonly attempts = new Map<string, Attempts>();

  async findAccount(name: string): Promise<StaffAccount | undefined> {
    return [...this.accounts.values()].find((account) => account.name === name);
  }

  async addAccount(account: StaffAccount, _at: Date, facts: Facts): Promise<boolean> {
    if (await this.findAccount(account.name)) return false;
    this.accounts.set(account.id, account);
    this.facts.push(...facts);
    return true;
  }

  async replacePassword(accountId: string, passwordHash: string, at: Date, facts: Facts): Promise<void> {
    this.accounts.set(accountId, { ...this.accounts.get(accountId)!, passwordHash });
    for (const [key, session] of this.sessions) {
      if (session.account.id === accountId) this.sessions.set(key, { ...session, endedAt: session.endedAt ?? at });
    }
    this.facts.push(...facts);
  }

  async countAttempt(keys: readonly BrakeKey[]): Promise<Braked> {
    const judged = keys.map(({ key, rule }) => ({ key, braked: rule(this.attempts.get(key)) }));
    const waits = judged.flatMap(({ braked }) => ('waitMs' in braked ? [braked.waitMs] : []));
    if (waits.length > 0) return { waitMs: Math.max(...waits) };
    for (const { key, braked } of judged) if ('next' in braked) this.attempts.set(key, braked.next);
    return judged[0]!.braked;
  }

  async openSession(session: NewSession, counted: Counted, facts: Facts): Promise<void> {
    this.attempts.delete(counted.clear);
    for (const key of counted.giveBack) {
      const shared = this.attempts.get(key);
      if (shared) this.attempts.set(key, { ...shared, failures: shared.failures - 1 });
    }
    const { tokenDigest, ...stored } = session;
    this.sessions.set(keyOf(tokenDigest), stored);
    this.facts.push(...facts);
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
