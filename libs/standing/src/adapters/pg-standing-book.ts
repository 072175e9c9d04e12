import { type Shard, type ShardedId, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { StoredEvent } from '../event.js';
import type { ImposedRestriction, LiftedWhy } from '../ladder.js';
import type { KnownStanding, StandingChange } from '../rescore.js';
import type { Factor, Standing } from '../standing.js';
import type { StandingBook, StandingVersion } from '../store.js';

interface StandingRow {
  kind: Standing['kind'];
  version: bigint;
  score: number;
  scorecard: string;
  factors: Factor[];
  next_change_at: Date | null;
}

interface RestrictionRow {
  id: string;
  step: ImposedRestriction['step'];
  services: string[];
  reason_code: string;
  reason_text: string;
  cause_iss: string;
  cause_jti: string;
  starts_at: Date;
  ends_at: Date | null;
}

/** Owns `standings`, `standing_versions`, `restrictions` and the writing of `events`. */
export class PgStandingBook implements StandingBook {
  constructor(private readonly tx: Tx) {}

  async load(subject: ShardedId): Promise<KnownStanding | undefined> {
    const place = [subject.shard, subject.uuid];
    const [row] = await this.tx.query<StandingRow>(
      `SELECT kind, version, score, scorecard, factors, next_change_at FROM standings WHERE shard = $1 AND subject = $2`,
      place,
    );
    if (!row) return undefined;
    const restrictions = await this.tx.query<RestrictionRow>(
      `SELECT id, step, services, reason_code, reason_text, cause_iss, cause_jti, starts_at, ends_at FROM restrictions
        WHERE shard = $1 AND subject = $2 AND lifted_at IS NULL ORDER BY starts_at, id`,
      place,
    );
    return {
      subject,
      kind: row.kind,
      version: row.version,
      score: { value: row.score, version: row.scorecard },
      factors: row.factors,
      restrictions: restrictions.map(restriction),
      nextChangeAt: row.next_change_at ?? undefined,
    };
  }

  async add({ subject, kind, version, score, factors, nextChangeAt }: KnownStanding, at: Date): Promise<void> {
    await this.tx.query(
      `INSERT INTO standings (shard, subject, kind, version, score, scorecard, factors, updated_at, next_change_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [subject.shard, subject.uuid, kind, version, score.value, score.version, JSON.stringify(factors), at, nextChangeAt ?? null],
    );
  }

  async save({ next, imposed, lifted }: StandingChange, why: LiftedWhy, at: Date): Promise<void> {
    const { subject, version, score, factors, nextChangeAt } = next;
    await this.tx.query(
      `UPDATE standings SET version = $3, score = $4, scorecard = $5, factors = $6, updated_at = $7, next_change_at = $8
        WHERE shard = $1 AND subject = $2`,
      [subject.shard, subject.uuid, version, score.value, score.version, JSON.stringify(factors), at, nextChangeAt ?? null],
    );
    for (const restriction of lifted) await this.lift(subject, restriction, why, at);
    for (const restriction of imposed) await this.impose(subject, restriction);
  }

  async addVersion({ subject, version, content, salt, cause, position }: StandingVersion): Promise<void> {
    await this.tx.query(
      `INSERT INTO standing_versions (shard, subject, version, at, content, salt, cause_iss, cause_jti, fact_seq)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        subject.shard,
        subject.uuid,
        version,
        position.at,
        JSON.stringify(content),
        salt,
        cause?.iss ?? null,
        cause?.jti ?? null,
        position.seq,
      ],
    );
  }

  /** One statement per participant, each on the participant's shard. */
  async addEvents(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      const { participant, id, origin, kind, ref, body } = event;
      await this.tx.query(
        `INSERT INTO events (shard, participant_id, id, at, origin_shard, origin_seq, kind, subject_ref, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [shardOf(participant), participant, id, origin.at, origin.shard, origin.seq, kind, ref.uuid, JSON.stringify(body)],
      );
    }
  }

  private async lift({ shard, uuid }: ShardedId, { id, endsAt }: ImposedRestriction, why: LiftedWhy, at: Date): Promise<void> {
    const reason = endsAt && endsAt <= at ? 'ENDED' : why;
    await this.tx.query(`UPDATE restrictions SET lifted_at = $4, lifted_why = $5 WHERE shard = $1 AND subject = $2 AND id = $3`, [
      shard,
      uuid,
      id,
      at,
      reason,
    ]);
  }

  private async impose({ shard, uuid }: ShardedId, restriction: ImposedRestriction): Promise<void> {
    const { id, step, services, reason, cause, startsAt, endsAt } = restriction;
    await this.tx.query(
      `INSERT INTO restrictions (shard, subject, id, step, services, reason_code, reason_text, cause_iss, cause_jti, starts_at, ends_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [shard, uuid, id, step, services, reason.code, reason.text, cause.iss, cause.rootJti, startsAt, endsAt ?? null],
    );
  }
}

/** Subjects of one shard whose standing is due. */
export async function dueOnShard(runner: Pick<Tx, 'query'>, shard: Shard, at: Date, countMax: number): Promise<ShardedId[]> {
  const rows = await runner.query<{ subject: string }>(
    `SELECT subject FROM standings WHERE shard = $1 AND next_change_at <= $2 ORDER BY next_change_at LIMIT $3`,
    [shard, at, countMax],
  );
  return rows.map(({ subject }) => ({ shard, uuid: subject }));
}

function restriction(row: RestrictionRow): ImposedRestriction {
  return {
    id: row.id,
    step: row.step,
    services: row.services,
    reason: { code: row.reason_code, text: row.reason_text },
    cause: { iss: row.cause_iss, rootJti: row.cause_jti },
    startsAt: row.starts_at,
    ...(row.ends_at ? { endsAt: row.ends_at } : {}),
  };
}
