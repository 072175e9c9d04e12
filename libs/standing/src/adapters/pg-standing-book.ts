import { type Shard, type ShardedId, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { RecordInForce, StoredRecord } from '#records';
import type { StoredEvent } from '../event.js';
import type { KnownStanding } from '../rescore.js';
import type { StandingSaving } from '../save-change.js';
import type { AcceptedSaving, StandingBook, StandingVersion } from '../store.js';
import { restrictionRow } from './restriction-json.js';

/** Owns `standings`, `standing_versions`, `restrictions` and the writing of `events`; the statements stand in the migration `restrictions`. */
export class PgStandingBook implements StandingBook {
  constructor(private readonly tx: Tx) {}

  async add({ subject, kind, version, score, factors, updatedAt }: KnownStanding, first: StandingVersion): Promise<void> {
    await this.tx.query(
      `INSERT INTO standings (shard, subject, kind, version, score, scorecard, factors, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [subject.shard, subject.uuid, kind, version, score.value, score.version, JSON.stringify(factors), updatedAt],
    );
    await this.tx.query(
      `INSERT INTO standing_versions (shard, subject, version, at, content, salt, fact_seq) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [subject.shard, subject.uuid, version, first.position.at, JSON.stringify(first.content), first.salt, first.position.seq],
    );
  }

  async save(saving: StandingSaving): Promise<void> {
    const { subject } = saving.change.next;
    await this.tx.query('SELECT save_standing($1, $2, $3)', [subject.shard, subject.uuid, savingJson(saving)]);
  }

  async addEvents(events: readonly StoredEvent[]): Promise<void> {
    // FROM, because a transaction of Prisma's cannot read a column of type void.
    if (events.length > 0) await this.tx.query('SELECT FROM add_events($1::jsonb)', [JSON.stringify(events.map(eventRow))]);
  }
}

/** Both in one statement, so that they are one trip to the database. */
export async function saveAccepted(tx: Tx, { standing, force, record }: AcceptedSaving): Promise<void> {
  const { subject, updatedAt } = standing.change.next;
  const values = [
    subject.shard,
    subject.uuid,
    savingJson(standing),
    JSON.stringify({ ...recordRow(record), ...removedRow(force.removed), added: force.added && forceRow(force.added) }),
    Buffer.from(record.received),
    Buffer.from(record.payloadDigest),
    updatedAt,
  ];
  await tx.query('SELECT save_standing($1, $2, $3), keep_record($1, $2, $4, $5, $6, $7)', values, 'save_accepted');
}

function savingJson({ change: { next, imposed, lifted }, version, events }: StandingSaving): string {
  return JSON.stringify({
    standing: {
      version: next.version.toString(),
      score: next.score.value,
      scorecard: next.score.version,
      factors: next.factors,
      judged: next.judged,
      updated_at: next.updatedAt,
      next_change_at: next.nextChangeAt,
    },
    version: version && versionRow(version),
    lifted: some(lifted.map(({ restriction: { id }, why }) => ({ id, why }))),
    imposed: some(imposed.map(restrictionRow)),
    events: some(events.map(eventRow)),
  });
}

function versionRow({ content, salt, cause, position }: StandingVersion) {
  return { at: position.at, content, salt, cause_iss: cause?.iss, cause_jti: cause?.jti, fact_seq: position.seq.toString() };
}

function eventRow({ participant, id, origin, kind, ref, body, restriction }: StoredEvent) {
  return {
    shard: shardOf(participant),
    participant_id: participant,
    id,
    at: origin.at,
    origin_shard: origin.shard,
    origin_seq: origin.seq.toString(),
    kind,
    subject_ref: ref.uuid,
    body,
    restriction,
  };
}

function recordRow({ ref, iss, jti, seq, kind, names, issuedAt, acceptedAt, factSeq, receipt }: StoredRecord) {
  const times = { issued_at: issuedAt, accepted_at: acceptedAt };
  return { ref: ref.uuid, iss, jti, seq, kind, names, ...times, fact_seq: factSeq.toString(), receipt };
}

function removedRow(removed: RecordInForce | undefined) {
  return removed ? { removed_iss: removed.iss, removed_jti: removed.jti } : {};
}

function forceRow({ iss, jti, rootJti, asOf, validUntil, body }: RecordInForce) {
  return { iss, jti, root_jti: rootJti, kind: body.kind, as_of: asOf, valid_until: validUntil, body };
}

/** JSON leaves out what is undefined, and the statement does what is there. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Subjects of one shard whose standing is due. */
export async function dueOnShard(runner: Pick<Tx, 'query'>, shard: Shard, at: Date, countMax: number): Promise<ShardedId[]> {
  const rows = await runner.query<{ subject: string }>(
    `SELECT subject FROM standings WHERE shard = $1 AND next_change_at <= $2 ORDER BY next_change_at LIMIT $3`,
    [shard, at, countMax],
  );
  return rows.map(({ subject }) => ({ shard, uuid: subject }));
}
