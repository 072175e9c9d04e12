import { isActive, type Link } from '#consents';
import type { CreditRecord, RecordKind } from '#contract';
import { Refusal, type Verified } from '#kernel';
import { checkTimes } from './check-record.js';
import { namedBy, type RecordInForce, type SignedRecord, type Statement, statementOf } from './record.js';

export const recordsInForceMax = 500;

/** What is known of the subject when a record of one of its links comes in. */
export interface KnownOfSubject {
  readonly link: Link;
  readonly inForce: readonly RecordInForce[];
  /** Whether the issuer ever had a record of this name about this subject accepted. */
  readonly namedExists: boolean;
}

/** What a record changes among the records in force. */
export interface ForceChange {
  readonly removed?: RecordInForce;
  readonly added?: RecordInForce;
}

/** New data needs a link that stands; what a bank still owes about old data is taken on an ended link too (CONTRACT.md §3). */
const NEEDS_ACTIVE_LINK: Readonly<Record<RecordKind, boolean>> = {
  rating: true,
  performance: true,
  violation: true,
  clearance: false,
  correction: false,
  withdrawal: false,
};

/**
 * Decides what a record of a new identity does. Refuses 422 `record.in_future`, `record.expired`, `record.validity`,
 * `record.names_unknown`, `record.kind_mismatch`, `record.too_many`; 409 `link.ended`, `record.not_in_force`.
 */
export function acceptRecord(known: KnownOfSubject, incoming: Verified<SignedRecord>, at: Date): ForceChange {
  const { record } = incoming.value;
  checkTimes(record, at);
  checkLink(record, known.link);
  const removed = findNamed(known, record, at);
  const statement = statementOf(record);
  if (removed) checkKind(record.kind, statement, removed);
  const added = statement && inForce(record, statement, removed);
  if (added && !removed) checkRoom(known.inForce.filter(({ iss }) => iss === record.iss).length);
  return { ...(removed ? { removed } : {}), ...(added ? { added } : {}) };
}

/**
 * The same for a rating or performance among many, where only the number of the issuer's records in force about the subject is known.
 * Refuses what `acceptRecord` refuses of those kinds.
 */
export function acceptStatement(link: Link, inForceCount: number, incoming: Verified<SignedRecord>, at: Date): RecordInForce {
  const { record } = incoming.value;
  checkTimes(record, at);
  checkLink(record, link);
  checkRoom(inForceCount);
  return inForce(record, statementOf(record)!, undefined);
}

/** Kinds that only add: they name no other record. */
export function isPlainStatement({ kind }: CreditRecord): boolean {
  return kind === 'rating' || kind === 'performance';
}

function checkLink({ kind }: CreditRecord, link: Link): void {
  if (NEEDS_ACTIVE_LINK[kind] && !isActive(link)) {
    throw new Refusal('conflict', 'link.ended', 'this link is ended: only corrections, clearances and withdrawals are accepted', {
      field: '/sub',
    });
  }
}

function findNamed({ inForce, namedExists }: KnownOfSubject, record: CreditRecord, at: Date): RecordInForce | undefined {
  const names = namedBy(record);
  if (names === undefined) return undefined;
  const found = inForce.find(({ iss, jti, validUntil }) => iss === record.iss && jti === names && validUntil > at);
  if (found) return found;
  throw namedExists
    ? new Refusal('conflict', 'record.not_in_force', `record ${names} was already corrected, withdrawn or cleared, or is past its validity`)
    : new Refusal('unprocessable', 'record.names_unknown', `you sent no record ${names} about this subject`);
}

function checkKind(kind: RecordKind, statement: Statement | undefined, named: RecordInForce): void {
  const wanted = kind === 'clearance' ? 'violation' : (statement?.kind ?? named.body.kind);
  if (named.body.kind !== wanted) {
    throw new Refusal('unprocessable', 'record.kind_mismatch', `record ${named.jti} is a ${named.body.kind}, not a ${wanted}`);
  }
}

function inForce(record: CreditRecord, body: Statement, corrected: RecordInForce | undefined): RecordInForce {
  const { iss, jti, asOf, validUntil = asOf } = record;
  return { iss, jti, rootJti: corrected?.rootJti ?? jti, asOf: new Date(asOf), validUntil: new Date(validUntil), body };
}

function checkRoom(inForceCount: number): void {
  if (inForceCount >= recordsInForceMax) {
    throw new Refusal('unprocessable', 'record.too_many', 'withdraw old records about this subject first, or give shorter validities', {
      limit: `recordsInForceMax=${recordsInForceMax}`,
    });
  }
}
