import type { Facts } from '#kernel';
import type { StaffAccount, StaffListing } from './account.js';
import type { StaffSession } from './session.js';
import type { Attempts, Braked } from './sign-in-brake.js';

export interface NewSession extends StaffSession {
  readonly tokenDigest: Uint8Array;
}

/** One key of the brake and its rule. */
export interface BrakeKey {
  readonly key: string;
  readonly rule: (known: Attempts | undefined) => Braked;
}

/** Keys of the brake under which a successful attempt was counted. */
export interface Counted {
  /** Forgotten altogether: its owner is here. */
  readonly clear: string;
  /** Only this one attempt is taken back: others share the key. */
  readonly giveBack: readonly string[];
}

export interface StaffStore {
  findAccount(name: string): Promise<StaffAccount | undefined>;
  /** Saves the account and its fact; `false` when the name is taken. */
  addAccount(account: StaffAccount, at: Date, facts: Facts): Promise<boolean>;
  /** Replaces the password and ends every session of the account. */
  replacePassword(accountId: string, passwordHash: string, at: Date, facts: Facts): Promise<void>;
  /** Disables or enables it; disabled, every session of it ends. `false` when it stood so already: nothing is written. */
  changeState(accountId: string, state: StaffAccount['state'], at: Date, facts: Facts): Promise<boolean>;
  /** Every account, by name. */
  listAccounts(at: Date): Promise<StaffListing[]>;
  /** Applies every rule under a lock on its key and answers for the first. Where one refuses, nothing is counted and the longest wait is returned. */
  countAttempt(keys: readonly BrakeKey[]): Promise<Braked>;
  /**
   * Saves the session and its facts, and takes back what the attempt counted. `false`, and nothing is saved, when the account was disabled or
   * got another password since it was read: such a session would outlive its account.
   */
  openSession(session: NewSession, counted: Counted, facts: Facts): Promise<boolean>;
  findSession(tokenDigest: Uint8Array): Promise<StaffSession | undefined>;
  touchSession(sessionId: string, at: Date): Promise<void>;
  /** Ends the session; ending it again changes nothing and writes no fact. */
  endSession(sessionId: string, at: Date, facts: Facts): Promise<void>;
  /** Forgets sessions that were opened `SESSION_KEPT_MS` before `at`, but each account's last one, which tells when it was used. Answers how many. */
  forgetSessions(at: Date): Promise<number>;
  /** Facts about things that change nothing else: failed attempts and reads. */
  saveFacts(facts: Facts): Promise<void>;
}

/** Secrets are made and compared behind this port; the rules only see texts and bytes. */
export interface StaffSecrets {
  newId(atMs: number): string;
  /** A new session token (256 random bits) and its SHA-256; only the digest is stored. */
  newToken(): { token: string; digest: Uint8Array };
  digestToken(token: string): Uint8Array;
  hashPassword(password: string): Promise<string>;
  /** With `undefined` it does the same work and answers `false`, so that time does not tell which names exist. */
  matchesPassword(password: string, hash: string | undefined): Promise<boolean>;
}
