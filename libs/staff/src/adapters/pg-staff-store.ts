import { createHash } from 'node:crypto';
import type { Facts } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { StaffAccount, StaffListing } from '../account.js';
import type { Role } from '../role.js';
import { SESSION_AGE_MS, SESSION_IDLE_MS, SESSION_KEPT_MS, type StaffSession } from '../session.js';
import { type Attempts, type Braked, FORGET_MS } from '../sign-in-brake.js';
import type { BrakeKey, Counted, NewSession, StaffStore } from '../store.js';

interface AccountRow {
  id: string;
  name: string;
  role: Role;
  state: 'ACTIVE' | 'DISABLED';
  password_hash: string;
}

interface ListingRow extends AccountRow {
  created_at: Date;
  last_at: Date | null;
  open_sessions: number;
}

interface SessionRow extends AccountRow {
  session_id: string;
  created_at: Date;
  seen_at: Date;
  ended_at: Date | null;
}

/** Staff in PostgreSQL. SQL and not Prisma: every change is saved with its fact in one of our transactions. */
export class PgStaffStore implements StaffStore {
  constructor(private readonly database: Database) {}

  async findAccount(name: string): Promise<StaffAccount | undefined> {
    const [row] = await this.database.query<AccountRow>('SELECT id, name, role, state, password_hash FROM staff_accounts WHERE name = $1', [
      name,
    ]);
    return row && toAccount(row);
  }

  async addAccount(account: StaffAccount, at: Date, facts: Facts): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const added = await tx.query(
        `INSERT INTO staff_accounts (id, name, role, state, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT staff_accounts_name_unique DO NOTHING RETURNING id`,
        [account.id, account.name, account.role, account.state, account.passwordHash, at],
      );
      if (added.length > 0) await appendFacts(tx, facts);
      return added.length > 0;
    });
  }

  async replacePassword(accountId: string, passwordHash: string, at: Date, facts: Facts): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.query('UPDATE staff_accounts SET password_hash = $2 WHERE id = $1', [accountId, passwordHash]);
      await endSessions(tx, accountId, at);
      await appendFacts(tx, facts);
    });
  }

  async changeState(accountId: string, state: StaffAccount['state'], at: Date, facts: Facts): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const changed = await tx.query('UPDATE staff_accounts SET state = $2 WHERE id = $1 AND state <> $2 RETURNING id', [accountId, state]);
      if (changed.length === 0) return false;
      if (state === 'DISABLED') await endSessions(tx, accountId, at);
      await appendFacts(tx, facts);
      return true;
    });
  }

  async listAccounts(at: Date): Promise<StaffListing[]> {
    const rows = await this.database.query<ListingRow>(
      `SELECT a.id, a.name, a.role, a.state, a.password_hash, a.created_at, max(s.created_at) AS last_at,
              count(s.id) FILTER (WHERE s.ended_at IS NULL AND s.seen_at > $1 AND s.created_at > $2)::int AS open_sessions
         FROM staff_accounts a LEFT JOIN staff_sessions s ON s.account_id = a.id
        GROUP BY a.id ORDER BY a.name`,
      [new Date(at.getTime() - SESSION_IDLE_MS), new Date(at.getTime() - SESSION_AGE_MS)],
    );
    return rows.map((row) => ({
      account: toAccount(row),
      createdAt: row.created_at,
      openSessions: row.open_sessions,
      lastSignedInAt: row.last_at ?? undefined,
    }));
  }

  async countAttempt(keys: readonly BrakeKey[]): Promise<Braked> {
    return this.database.transaction(async (tx) => {
      const judged: { digest: Uint8Array; braked: Braked }[] = [];
      for (const { key, rule } of keys) judged.push({ digest: digestKey(key), braked: rule(await lockAttempts(tx, digestKey(key))) });
      const waits = judged.flatMap(({ braked }) => ('waitMs' in braked ? [braked.waitMs] : []));
      if (waits.length > 0) return { waitMs: Math.max(...waits) };
      for (const { digest, braked } of judged) await saveAttempts(tx, digest, braked);
      return judged[0]!.braked;
    });
  }

  async openSession(session: NewSession, counted: Counted, facts: Facts): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      // The account is held: whoever disables it now waits for us and then ends this session, too.
      const opened = await tx.query(
        `INSERT INTO staff_sessions (id, account_id, token_digest, created_at, seen_at)
         SELECT $1, id, $3, $4, $5 FROM staff_accounts WHERE id = $2 AND state = 'ACTIVE' AND password_hash = $6 FOR SHARE
         RETURNING id`,
        [session.id, session.account.id, session.tokenDigest, session.createdAt, session.seenAt, session.account.passwordHash],
      );
      if (opened.length === 0) return false;
      await tx.query('DELETE FROM staff_sign_in_attempts WHERE key_digest = $1', [digestKey(counted.clear)]);
      await tx.query('UPDATE staff_sign_in_attempts SET failures = greatest(failures - 1, 0) WHERE key_digest = ANY ($1::bytea[])', [
        counted.giveBack.map(digestKey),
      ]);
      await appendFacts(tx, facts);
      return true;
    });
  }

  async findSession(tokenDigest: Uint8Array): Promise<StaffSession | undefined> {
    const [row] = await this.database.query<SessionRow>(
      `SELECT s.id AS session_id, s.created_at, s.seen_at, s.ended_at, a.id, a.name, a.role, a.state, a.password_hash
         FROM staff_sessions s JOIN staff_accounts a ON a.id = s.account_id
        WHERE s.token_digest = $1`,
      [tokenDigest],
    );
    if (!row) return undefined;
    const { session_id: id, created_at: createdAt, seen_at: seenAt, ended_at } = row;
    return { id, account: toAccount(row), createdAt, seenAt, endedAt: ended_at ?? undefined };
  }

  async touchSession(sessionId: string, at: Date): Promise<void> {
    await this.database.query('UPDATE staff_sessions SET seen_at = greatest(seen_at, $2) WHERE id = $1', [sessionId, at]);
  }

  async endSession(sessionId: string, at: Date, facts: Facts): Promise<void> {
    await this.database.transaction(async (tx) => {
      const ended = await tx.query('UPDATE staff_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id', [
        sessionId,
        at,
      ]);
      if (ended.length > 0) await appendFacts(tx, facts);
    });
  }

  async forgetSessions(at: Date): Promise<number> {
    const gone = await this.database.query(
      `DELETE FROM staff_sessions s WHERE created_at < $1
          AND EXISTS (SELECT FROM staff_sessions later WHERE later.account_id = s.account_id AND later.created_at > s.created_at)
        RETURNING 1 AS gone`,
      [new Date(at.getTime() - SESSION_KEPT_MS)],
    );
    return gone.length;
  }

  async saveFacts(facts: Facts): Promise<void> {
    await this.database.transaction((tx) => appendFacts(tx, facts));
  }
}

async function endSessions(tx: Tx, accountId: string, at: Date): Promise<void> {
  await tx.query('UPDATE staff_sessions SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL', [accountId, at]);
}

const digestKey = (key: string): Uint8Array => createHash('sha256').update(key).digest();

const toAccount = (row: AccountRow): StaffAccount => ({
  id: row.id,
  name: row.name,
  role: row.role,
  state: row.state,
  passwordHash: row.password_hash,
});

/** Creates the row where there is none, so that two first attempts also wait for each other. */
async function lockAttempts(tx: Tx, digest: Uint8Array): Promise<Attempts | undefined> {
  await tx.query(
    `INSERT INTO staff_sign_in_attempts (key_digest, failures, last_failed_at) VALUES ($1, 0, to_timestamp(0))
     ON CONFLICT ON CONSTRAINT staff_sign_in_attempts_pkey DO NOTHING`,
    [digest],
  );
  const [row] = await tx.query<{ failures: number; last_failed_at: Date }>(
    'SELECT failures, last_failed_at FROM staff_sign_in_attempts WHERE key_digest = $1 FOR UPDATE',
    [digest],
  );
  return row && row.failures > 0 ? { failures: row.failures, lastFailedAt: row.last_failed_at } : undefined;
}

async function saveAttempts(tx: Tx, digest: Uint8Array, braked: Braked): Promise<void> {
  if (!('next' in braked)) return;
  const { failures, lastFailedAt } = braked.next;
  await tx.query('UPDATE staff_sign_in_attempts SET failures = $2, last_failed_at = $3 WHERE key_digest = $1', [
    digest,
    failures,
    lastFailedAt,
  ]);
  // Guessed names do not pile up: a few forgotten rows go with each attempt.
  await tx.query(
    `DELETE FROM staff_sign_in_attempts WHERE key_digest IN
       (SELECT key_digest FROM staff_sign_in_attempts WHERE last_failed_at < $1 LIMIT 5 FOR UPDATE SKIP LOCKED)`,
    [new Date(lastFailedAt.getTime() - FORGET_MS)],
  );
}
