import type { Link, Subject } from '#consents';
import type { SubjectKind } from '#contract';
import type { Shard, ShardedId } from '#kernel';
import type { NonceClaim } from '#partners';
import type { RecordInForce } from '#records';
import type { DisputedRecord } from '../dispute/disputed-record.js';
import type { JudgedViolation } from '../imposed.js';
import { BUILT_IN_LADDER, type Ladder } from '../ladder.js';
import type { Factor } from '../standing.js';
import type { HeldSubject } from '../store.js';
import type { HeldDue } from '../together/together-books.js';
import { type LadderJson, readKeptLadder } from './keep-ladder.js';
import { type RestrictionJson, readRestriction } from './restriction-json.js';

/** What is told of one subject: everything by which it is judged, but the ladder. */
export interface SubjectJson {
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly created_at: string;
  readonly links: readonly LinkJson[];
  readonly in_force: readonly RecordJson[];
  readonly standing: StandingJson;
  readonly restrictions: readonly RestrictionJson[];
}

/** What `hold_subject` answers. */
export interface HeldJson extends SubjectJson {
  /** The active policy's; null while there is none (or one that a release of before 2026-11-22 activated without a ladder). */
  readonly ladder: LadderJson | null;
}

interface ManyJson {
  readonly held: readonly (SubjectJson & { readonly shard: Shard; readonly refs: readonly string[]; readonly policy: number | null })[];
  readonly ladders: readonly { readonly policy_version: number; readonly ladder: LadderJson }[];
}

/** What `meet_records` answers. */
export interface MetJson extends ManyJson {
  readonly claimed: readonly NonceClaim[];
}

/** What `hold_due` answers. */
export interface DueJson extends ManyJson {
  readonly marked: readonly string[];
}

export interface LinkJson {
  readonly ref: string;
  readonly participant_id: string;
  readonly customer_reference: string | null;
  readonly created_at: string;
  readonly ended_at: string | null;
}

export interface RecordJson {
  readonly iss: string;
  readonly jti: string;
  readonly root_jti: string;
  readonly as_of: string;
  readonly valid_until: string;
  readonly body: RecordInForce['body'];
}

interface StandingJson {
  readonly version: number;
  readonly score: number;
  readonly scorecard: string;
  readonly factors: readonly Factor[];
  readonly judged: readonly JudgedViolation[];
  readonly disputed: readonly DisputedRecord[];
  readonly updated_at: string;
  readonly next_change_at: string | null;
}

export function readHeld(shard: Shard, json: HeldJson): HeldSubject {
  return readSubject(shard, json, json.ladder ? readKeptLadder(json.ladder) : BUILT_IN_LADDER);
}

/** By the UUIDs of the links. */
export function readMet(met: MetJson): Map<string, HeldSubject> {
  const subjects = readMany(met);
  return new Map(met.held.flatMap(({ refs }, i) => refs.map((ref) => [ref, subjects[i]!])));
}

export function readDue(due: DueJson): HeldDue {
  return { held: readMany(due), marked: new Set(due.marked) };
}

function readMany({ held, ladders }: ManyJson): HeldSubject[] {
  const known = new Map<number | null, Ladder>(ladders.map(({ policy_version, ladder }) => [policy_version, readKeptLadder(ladder)]));
  return held.map((one) => readSubject(one.shard, one, known.get(one.policy) ?? BUILT_IN_LADDER));
}

function readSubject(shard: Shard, json: SubjectJson, ladder: Ladder): HeldSubject {
  const { standing } = json;
  const id = { shard, uuid: json.subject };
  const subject: Subject = { id, kind: json.kind, createdAt: new Date(json.created_at) };
  return {
    subject,
    links: json.links.map((link) => readLink(id, link)),
    inForce: json.in_force.map(readRecordInForce),
    standing: {
      subject: id,
      kind: json.kind,
      version: BigInt(standing.version),
      score: { value: standing.score, version: standing.scorecard, ...(standing.disputed.length > 0 ? { disputed: true } : {}) },
      factors: standing.factors,
      restrictions: json.restrictions.map(readRestriction),
      judged: standing.judged,
      disputes: standing.disputed,
      updatedAt: new Date(standing.updated_at),
      nextChangeAt: standing.next_change_at === null ? undefined : new Date(standing.next_change_at),
    },
    ladder,
  };
}

export function readLink(subject: ShardedId, link: LinkJson): Link {
  return {
    ref: { shard: subject.shard, uuid: link.ref },
    subject,
    participant: link.participant_id,
    customerReference: link.customer_reference ?? undefined,
    createdAt: new Date(link.created_at),
    endedAt: link.ended_at === null ? undefined : new Date(link.ended_at),
  };
}

export function readRecordInForce({ iss, jti, root_jti: rootJti, as_of: asOf, valid_until: validUntil, body }: RecordJson): RecordInForce {
  return { iss, jti, rootJti, asOf: new Date(asOf), validUntil: new Date(validUntil), body };
}
