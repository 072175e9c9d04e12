import { type Shard, type ShardedId, SHARDS, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { RecordInForce, StoredRecord } from '#records';
import { keepSealed } from '#records/adapters/pg-record-book';
import type { StoredEvent } from '../event.js';
import type { KnownStanding, StandingChange } from '../rescore.js';
import type { StandingSaving } from '../save-change.js';
import type { AcceptedSaving, DueSubject, StandingBook, StandingVersion } from '../store.js';
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
    // FROM, because a transaction of Prisma's cannot read a column of type void.
    await this.tx.query('SELECT FROM save_standings($1)', [savingsJson([saving])]);
    await saveDisputed(this.tx, saving);
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
    savingsJson([standing]),
    JSON.stringify({ ...recordRow(record), ...removedRow(force.removed), added: force.added && forceRow(force.added) }),
    Buffer.from(record.received),
    Buffer.from(record.payloadDigest),
    updatedAt,
  ];
  await tx.query('SELECT save_standings($3), keep_record($1, $2, $4, $5, $6, $7)', values, 'save_accepted');
  await keepSealed(tx, record);
  await saveDisputed(tx, standing);
}

/** Rare, so not a part of the one statement: what is disputed of the records in force has changed. */
export async function saveDisputed(tx: Tx, { change: { next, disputesChanged } }: StandingSaving): Promise<void> {
  if (!disputesChanged) return;
  const { subject, disputes } = next;
  await tx.query('UPDATE standings SET disputed = $3 WHERE shard = $1 AND subject = $2', [
    subject.shard,
    subject.uuid,
    JSON.stringify(disputes),
  ]);
}

/** As `save_standings` takes them: of each subject the last state, and all that happened on the way. */
export function savingsJson(savings: readonly StandingSaving[]): string {
  const last = new Map(savings.map(({ change: { next } }) => [next.subject.uuid, next]));
  const changes = savings.map(({ change }) => change);
  const subjectOf = ({ next: { subject } }: StandingChange) => ({ shard: subject.shard, subject: subject.uuid });
  return JSON.stringify({
    standings: [...last.values()].map(standingRow),
    versions: some(savings.flatMap(({ version }) => (version ? versionRow(version) : []))),
    imposed: some(changes.flatMap((change) => change.imposed.map((one) => ({ ...subjectOf(change), ...restrictionRow(one) })))),
    lifted: some(
      changes.flatMap((change) =>
        change.lifted.map(({ restriction: { id }, why }) => ({ ...subjectOf(change), id, why, at: change.next.updatedAt })),
      ),
    ),
    events: some(savings.flatMap(({ events }) => events.map(eventRow))),
  });
}

function standingRow({ subject, version, score, factors, judged, updatedAt, nextChangeAt }: KnownStanding) {
  return {
    ...{ shard: subject.shard, subject: subject.uuid, version: version.toString(), score: score.value, scorecard: score.version },
    ...{ factors, judged, updated_at: updatedAt, next_change_at: nextChangeAt },
  };
}

function versionRow({ subject, version, content, salt, cause, position }: StandingVersion) {
  const place = { at: position.at, fact_seq: position.seq.toString() };
  const names = { shard: subject.shard, subject: subject.uuid, version: version.toString() };
  return { ...names, ...place, content, salt, cause_iss: cause?.iss, cause_jti: cause?.jti };
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

/** Subjects whose standing is due. */
export async function dueSubjects(runner: Pick<Tx, 'query'>, at: Date, countMax: number): Promise<ShardedId[]> {
  const rows = await runner.query<{ shard: Shard; subject: string }>(
    `SELECT d.shard, d.subject FROM unnest($1::smallint[]) AS p (shard)
      CROSS JOIN LATERAL (SELECT shard, subject FROM standings t
                           WHERE t.shard = p.shard AND t.next_change_at <= $2 ORDER BY t.next_change_at LIMIT $3) d LIMIT $3`,
    [SHARDS, at, countMax],
    'due_subjects',
  );
  return rows.map(({ shard, subject }) => ({ shard, uuid: subject }));
}

/** Subjects at which lines of batches left marks, each once, with as many of its marks as were found. */
export async function markedSubjects(runner: Pick<Tx, 'query'>, countMax: number): Promise<DueSubject[]> {
  const rows = await runner.query<{ shard: Shard; seq: bigint; subject: string }>(
    `SELECT m.shard, m.seq, m.subject FROM unnest($1::smallint[]) AS p (shard)
      CROSS JOIN LATERAL (SELECT shard, seq, subject FROM standings_marked t WHERE t.shard = p.shard ORDER BY seq LIMIT $2) m LIMIT $2`,
    [SHARDS, countMax],
    'marked_subjects',
  );
  const marked = new Map<string, DueSubject & { readonly marks: bigint[] }>();
  for (const { shard, seq, subject } of rows) {
    const known = marked.get(subject);
    if (known) known.marks.push(seq);
    else marked.set(subject, { shard, uuid: subject, marks: [seq] });
  }
  return [...marked.values()];
}
