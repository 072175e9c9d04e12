import { hash } from 'node:crypto';
import { parseCreditRecord, type SubjectKind } from '#contract';
import { canonicalize, type JsonValue } from '#evidence';
import { invariant, type Shard, type ShardedId } from '#kernel';
import { appendFacts, type Database } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { type Dispute, disputeFact, namedBy, statementOf } from '#records';
import { BUILT_IN_LADDER, type Chain } from '#standing';
import { DISPUTE_COLUMNS, type DisputeRow, readDispute } from '#standing/adapters/dispute-rows';
import { type LadderJson, readKeptLadder } from '#standing/adapters/keep-ladder';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { AffectedDecisions } from '../dispute/affected-decisions.js';
import type { AffectedStore } from '../dispute/affected-store.js';
import type { PastOfSubject, PastRecord, Stretch } from '../dispute/past-of-subject.js';
import type { AffectedDecision } from '../dispute/redecide-affected.js';
import type { DecisionDetails } from '../details.js';

/** Lists and decides again what a disputed record bore on, on this database. */
export function affectedDecisions(database: Database): AffectedDecisions {
  const reportDigest = (report: unknown) => hash('sha256', canonicalize(JSON.parse(JSON.stringify(report)) as JsonValue));
  return new AffectedDecisions(new PgDisputeReader(database), new PgAffectedDecisions(database), new PgPolicies(database), reportDigest);
}

interface RecordRow {
  readonly iss: string;
  readonly jti: string;
  readonly jws: Buffer;
  readonly fact_seq: bigint;
}

interface SubjectRow {
  readonly kind: SubjectKind;
  readonly ladder: LadderJson | null;
}

interface LinkRow {
  readonly ref: string;
  readonly participant_id: string;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

interface DecisionRow extends Omit<AffectedDecision, 'shard' | 'expiresAt' | 'details'> {
  readonly expiresAt: Date | null;
  readonly details: string;
}

/** Rare questions over one subject's rows; nothing is locked by them. */
class PgAffectedDecisions implements AffectedStore {
  constructor(private readonly database: Database) {}

  async pastOf(subject: ShardedId): Promise<PastOfSubject> {
    const place = [subject.shard, subject.uuid];
    const [subjects, records, links, restrictions, disputes] = await Promise.all([
      this.database.query<SubjectRow>(
        `SELECT s.kind, (SELECT l.ladder FROM shard_heads h JOIN ladders l ON l.policy_version = h.policy_version WHERE h.shard = s.shard) AS ladder
           FROM subjects s WHERE s.shard = $1 AND s.subject = $2`,
        place,
      ),
      this.database.query<RecordRow>(
        'SELECT iss, jti, jws, fact_seq FROM records WHERE shard = $1 AND subject = $2 ORDER BY fact_seq',
        place,
      ),
      this.database.query<LinkRow>('SELECT ref, participant_id, created_at, ended_at FROM links WHERE shard = $1 AND subject = $2', place),
      this.database.query<{ id: string; iss: string; jti: string }>(
        'SELECT id, cause_iss AS iss, cause_jti AS jti FROM restrictions WHERE shard = $1 AND subject = $2 AND cause_iss IS NOT NULL',
        place,
      ),
      this.database.query<DisputeRow>(`SELECT ${DISPUTE_COLUMNS} FROM disputes WHERE shard = $1 AND subject = $2`, place),
    ]);
    const [row] = subjects;
    invariant(row, 'a dispute is about a subject');
    const all = disputes.map(readDispute);
    return {
      subject,
      kind: row.kind,
      records: timelineOf(records, all),
      links: links.map((link) => readLink(subject, link)),
      causes: new Map(restrictions.map(({ id, iss, jti }): [string, Chain] => [id, { iss, rootJti: jti }])),
      disputes: all,
      ladder: row.ladder ? readKeptLadder(row.ladder) : BUILT_IN_LADDER,
    };
  }

  async decisions({ subject }: Dispute, stretches: readonly Stretch[], after: bigint, countMax: number): Promise<AffectedDecision[]> {
    const rows = await this.database.query<DecisionRow>(
      `SELECT seq, at, decision, subject, caller, service, outcome, computed, policy_version AS "policyVersion", standing_version AS "standingVersion",
              expires_at AS "expiresAt", details, usage
         FROM decisions
        WHERE shard = $1 AND subject = $2 AND seq > $3
          AND EXISTS (SELECT FROM unnest($4::bigint[], $5::bigint[]) AS s (after, before) WHERE seq > s.after AND (s.before IS NULL OR seq < s.before))
        ORDER BY seq LIMIT $6`,
      [
        ...[subject.shard, subject.uuid, after, stretches.map(({ afterSeq }) => afterSeq)],
        ...[stretches.map(({ beforeSeq }) => beforeSeq ?? null), countMax],
      ],
    );
    return rows.map((row) => readDecision(subject.shard, row));
  }

  async note(dispute: Dispute, { decisions, others, by, report }: Parameters<AffectedStore['note']>[1]) {
    const fact = disputeFact('dispute.reevaluated', dispute, { decisions, others, by, report });
    const [position] = await this.database.transaction((tx) => appendFacts(tx, [fact]));
    return position!;
  }
}

function readDecision(shard: Shard, { expiresAt, details, ...row }: DecisionRow): AffectedDecision {
  return { ...row, shard, expiresAt: expiresAt ?? undefined, details: JSON.parse(details) as DecisionDetails };
}

function readLink(subject: ShardedId, { ref, participant_id: participant, created_at: createdAt, ended_at: endedAt }: LinkRow) {
  return { ref: { shard: subject.shard, uuid: ref }, subject, participant, createdAt, endedAt: endedAt ?? undefined };
}

/** Every statement, with the fact that ended it: a record that names it, or a dispute that removed it. */
function timelineOf(rows: readonly RecordRow[], disputes: readonly Dispute[]): PastRecord[] {
  const read = rows.map(({ jws, ...row }) => ({ ...row, record: parseCreditRecord(payloadOf(jws)) }));
  const roots = new Map<string, string>();
  const rootOf = (iss: string, jti: string): string => roots.get(`${iss} ${jti}`) ?? jti;
  for (const { iss, jti, record } of read)
    if (record.kind === 'correction') roots.set(`${iss} ${jti}`, rootOf(iss, record.correction.replaces));
  return read.flatMap(({ iss, jti, record, fact_seq: fromSeq }): PastRecord[] => {
    const body = statementOf(record);
    if (!body) return [];
    const ending = read.find((other) => other.iss === iss && namedBy(other.record) === jti);
    const removing = disputes.find((one) => one.record.iss === iss && one.record.jti === jti && removes(one));
    const untilSeq = ending?.fact_seq ?? removing?.closedSeq;
    const [asOf, validUntil] = [new Date(record.asOf), new Date(record.validUntil ?? record.asOf)];
    return [{ iss, jti, rootJti: rootOf(iss, jti), asOf, validUntil, body, fromSeq, untilSeq }];
  });
}

function removes({ outcome, answer }: Dispute): boolean {
  return outcome === 'SILENT' || (outcome === 'WITHDRAWN' && answer?.answer === 'WITHDRAWN' && answer.record === undefined);
}

const BRACE = 0x7b;

/** The payload of a JWS, or a line of a sealed batch, which is the payload. Both were read strictly when they were accepted. */
function payloadOf(received: Buffer): unknown {
  if (received[0] === BRACE) return JSON.parse(received.toString('utf8'));
  return JSON.parse(Buffer.from(received.toString('latin1').split('.')[1]!, 'base64url').toString('utf8'));
}
