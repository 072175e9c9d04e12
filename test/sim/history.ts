import { createHash } from 'node:crypto';
import { canonicalize } from '#evidence';
import type { SqlRunner } from '#platform';

/** What the database says happened, in the order of its numbers. */
export interface History {
  readonly heads: readonly { readonly shard: number; readonly lastSeq: bigint }[];
  readonly numbers: readonly { readonly shard: number; readonly seq: bigint; readonly at: Date }[];
  readonly events: readonly Event[];
  readonly reservations: ReadonlyMap<string, ReservationRow>;
  readonly usage: readonly UsageRow[];
  /** Settlements without a fact that commits to them, and facts without a settlement. */
  readonly unmatched: readonly string[];
}

export type Event = DecisionEvent | SettlementEvent;

export interface DecisionEvent {
  readonly type: 'decision';
  readonly shard: number;
  readonly seq: bigint;
  readonly at: Date;
  readonly decision: string;
  readonly subject: string;
  readonly key: string;
  readonly outcome: string;
  readonly expiresAt: Date | null;
  readonly details: string;
  readonly usage: string;
  readonly policyVersion: bigint;
  readonly standingVersion: bigint;
  /** The windows that contain `at`, by PostgreSQL's own calendar. */
  readonly day: Date;
  readonly week: Date;
  readonly month: Date;
  readonly minute: Date;
}

export interface SettlementEvent {
  readonly type: 'settlement';
  readonly shard: number;
  readonly seq: bigint;
  readonly at: Date;
  readonly reservation: string;
  readonly kind: 'confirm' | 'release' | 'refund';
  readonly key: string;
  readonly minor: bigint;
}

export interface ReservationRow {
  readonly reservation: string;
  readonly subject: string;
  readonly state: string;
  readonly minor: bigint;
  readonly confirmed: bigint;
  readonly refunded: bigint;
  readonly expiresAt: Date;
}

export interface UsageRow {
  readonly subject: string;
  readonly counter: string;
  readonly start: Date;
  readonly used: bigint;
  readonly reserved: bigint;
  readonly usedCount: bigint;
  readonly reservedCount: bigint;
}

/** Reads everything of a ledger that nobody works on. */
export async function readHistory(sql: SqlRunner, timeZone: string): Promise<History> {
  const numbers = await sql.query<{ shard: number; seq: bigint; at: Date }>(
    'SELECT shard, seq, at FROM facts UNION ALL SELECT shard, seq, at FROM decisions ORDER BY shard, seq',
  );
  const decisions = await sql.query<Omit<DecisionEvent, 'type'>>(
    `SELECT shard, seq, at, decision, subject, key, outcome, expires_at AS "expiresAt", details, usage,
            policy_version AS "policyVersion", standing_version AS "standingVersion",
            date_trunc('day', at, $1) AS day, date_trunc('week', at, $1) AS week, date_trunc('month', at, $1) AS month,
            date_trunc('minute', at, $1) AS minute FROM decisions`,
    [timeZone],
  );
  const { settlements, unmatched } = await readSettlements(sql);
  const reservations = await sql.query<ReservationRow>(
    `SELECT reservation, subject, state, amount_minor AS minor, confirmed_minor AS confirmed, refunded_minor AS refunded,
            expires_at AS "expiresAt" FROM reservations`,
  );
  const events: Event[] = [...decisions.map((row) => ({ type: 'decision' as const, ...row })), ...settlements];
  return {
    heads: await sql.query('SELECT shard, last_seq AS "lastSeq" FROM shard_heads'),
    numbers,
    events: events.sort((a, b) => a.shard - b.shard || Number(a.seq - b.seq)),
    reservations: new Map(reservations.map((row) => [row.reservation, row])),
    usage: await sql.query(
      `SELECT subject, counter, window_start AS start, used_minor AS used, reserved_minor AS reserved, used_count AS "usedCount",
              reserved_count AS "reservedCount" FROM usage`,
    ),
    unmatched,
  };
}

type SettlementRow = Omit<SettlementEvent, 'type' | 'seq'> & { readonly salt: string; readonly currency: string };

/** A settlement's number is that of the fact that commits to it. */
async function readSettlements(sql: SqlRunner): Promise<{ settlements: SettlementEvent[]; unmatched: string[] }> {
  const facts = await sql.query<{ shard: number; seq: bigint; body: string }>(
    `SELECT shard, seq, body FROM facts WHERE kind LIKE 'reservation.%'`,
  );
  const seqs = new Map(facts.map(({ seq, body }) => [(JSON.parse(body) as { commitment: string }).commitment, seq]));
  const rows = await sql.query<SettlementRow>(
    `SELECT s.shard, s.at, s.reservation, s.kind, s.key, s.amount_minor AS minor, s.salt, r.currency
       FROM settlements s JOIN reservations r USING (shard, reservation)`,
  );
  const settlements: SettlementEvent[] = [];
  const unmatched: string[] = [];
  for (const { salt, currency, ...row } of rows) {
    const commitment = commit(salt, { amountMinor: row.minor.toString(), currency, kind: row.kind, reservation: row.reservation });
    const seq = seqs.get(commitment);
    if (seq === undefined) unmatched.push(`no fact commits to the ${row.kind} of ${row.reservation}`);
    else settlements.push({ type: 'settlement', ...row, seq });
    seqs.delete(commitment);
  }
  return { settlements, unmatched: [...unmatched, ...[...seqs.values()].map((seq) => `no settlement belongs to fact ${seq}`)] };
}

function commit(salt: string, content: Parameters<typeof canonicalize>[0]): string {
  return createHash('sha256')
    .update(Buffer.from(salt.replaceAll('-', ''), 'hex'))
    .update(canonicalize(content))
    .digest('hex');
}
