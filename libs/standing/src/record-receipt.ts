import type { Subject } from '#consents';
import { encodeBase64Url } from '#evidence';
import { type Fact, type FactPosition, formatFactId, type Verified } from '#kernel';
import { identityOf, namedBy, type ReceiptGrounds, type SignedRecord, type StoredRecord, type WriteReceipt } from '#records';
import type { Happening } from './event.js';
import type { Commitment, Notary } from './notary.js';
import type { HeldSubject } from './store.js';
import { tellViolation } from './tell.js';

export const RECEIPT_TYPE = 'record-receipt+jwt';
/** Within this time a fact is in the log (CONTRACT.md §3). */
const inclusionPromiseSeconds = 10;

/** A JWS that says: these bytes were accepted, as this fact, at this time. */
export function signReceipt(
  notary: Notary,
  { record: { iss, jti }, payloadDigest }: SignedRecord,
  { salt }: Commitment,
  position: FactPosition,
): Promise<string> {
  return sign(notary, { iss, jti, payloadDigest, salt, position });
}

/** Signs the receipt of a record that was accepted without one, when somebody asks for it. */
export function receiptWriter(notary: Notary): WriteReceipt {
  return ({ iss, jti, payloadDigest, salt, accepted }) =>
    sign(notary, { iss, jti, payloadDigest, salt: encodeBase64Url(salt), position: accepted });
}

interface Receipt extends Pick<ReceiptGrounds, 'iss' | 'jti' | 'payloadDigest'>, Pick<Commitment, 'salt'> {
  readonly position: FactPosition;
}

function sign(notary: Notary, { iss, jti, payloadDigest, salt, position: { shard, seq, at } }: Receipt): Promise<string> {
  const claims = {
    iss: notary.issuer,
    sub: jti,
    payload_digest: encodeBase64Url(payloadDigest),
    // With it the bank can check, alone, that the fact in the log is about its bytes: SHA-256(salt || payload).
    commitment_salt: salt,
    fact: formatFactId(shard, seq),
    iat: Math.floor(at.getTime() / 1_000),
    inclusion_promise_seconds: inclusionPromiseSeconds,
  };
  return notary.signAside(RECEIPT_TYPE, claims, iss);
}

/** The fact of an accepted record. */
function acceptedFact({ id }: Subject, value: SignedRecord, { commitment }: Commitment): Fact {
  const body = acceptedBody(value, commitment);
  return { shard: id.shard, kind: 'record.accepted', subject: id.uuid, participant: value.record.iss, body };
}

export function acceptedBody({ record: { kind }, provenance }: SignedRecord, commitment: string): Fact['body'] {
  return { record: kind, commitment, ...provenance };
}

/** The first thing that happened: the record was accepted. Of a violation other banks hear that there is one. */
export function recordAccepted(
  { subject, links }: Pick<HeldSubject, 'subject' | 'links'>,
  value: SignedRecord,
  commitment: Commitment,
  at: Date,
): Happening {
  const { kind, iss } = value.record;
  return { fact: acceptedFact(subject, value, commitment), notices: kind === 'violation' ? tellViolation(links, iss, at) : [] };
}

/** What is kept of a commitment: the receipt that holds its salt, or the salt until somebody asks for the receipt. */
export type Proof = Pick<StoredRecord, 'receipt' | 'salt'>;

/** The record as it is kept. */
export function storedRecord(
  { value, received }: Verified<SignedRecord>,
  subject: Subject,
  position: FactPosition,
  proof: Proof,
): StoredRecord {
  const { record, payloadDigest } = value;
  const { iss, jti, seq, kind } = record;
  return {
    iss,
    jti,
    seq,
    kind,
    ref: identityOf(value).ref,
    subject: subject.id,
    names: namedBy(record),
    issuedAt: new Date(record.iat * 1_000),
    payloadDigest,
    received,
    acceptedAt: position.at,
    factSeq: position.seq,
    ...proof,
    sealed: value.sealed,
  };
}
