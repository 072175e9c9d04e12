import { type Dispute, disputeId, nextRing } from '#records';
import { formatId } from '#kernel';
import type { DisputeFile, SubjectRecord } from './dispute-store.js';

/** How disputes are shown at every door: external ids, RFC 3339 times. */

/** To the furnisher of the record: what it needs to answer, and nothing of the subject but the link's reference. */
export function showToFurnisher(dispute: Dispute, at: Date) {
  const { record, openedBy, code, statementDigest, added, answer, outcome } = dispute;
  return {
    id: disputeId(dispute),
    sub: formatId('lnk', { shard: dispute.subject.shard, uuid: record.ref }),
    record: record.jti,
    kind: record.kind,
    openedBy,
    code,
    ...(statementDigest ? { statementDigest } : {}),
    ...(added ? { added: { statementDigest: added.statementDigest, at: added.at.toISOString() } } : {}),
    ...timesOf(dispute, at),
    ...(answer ? { answer } : {}),
    ...(outcome ? { outcome } : {}),
  };
}

/** To the platform's own services and people. */
export function showDispute({ dispute, notices }: DisputeFile, at: Date) {
  const { sub: _, record, ...shown } = showToFurnisher(dispute, at);
  return {
    ...shown,
    subject: formatId('sub', dispute.subject),
    record: { issuer: dispute.record.iss, jti: record },
    treatment: dispute.treatment,
    notices: notices.map(({ participant, event, kind, toldAt, heardAt }) => ({
      participant,
      event,
      kind,
      toldAt: toldAt.toISOString(),
      ...(heardAt ? { heardAt: heardAt.toISOString() } : {}),
    })),
  };
}

/** A record as the platform's services see it: whose, what kind, when, what became of it. What it says stays between its bank and us. */
export function showSubjectRecord(record: SubjectRecord, shard: Dispute['subject']['shard']) {
  const { issuer, jti, kind, state, names, issuedAt, receivedAt, asOf, validUntil, dispute } = record;
  return {
    issuer,
    jti,
    kind,
    ...(state ? { state } : {}),
    ...(names === undefined ? {} : { names }),
    issuedAt: issuedAt.toISOString(),
    receivedAt: receivedAt.toISOString(),
    ...(asOf ? { asOf: asOf.toISOString() } : {}),
    ...(validUntil ? { validUntil: validUntil.toISOString() } : {}),
    ...(dispute === undefined ? {} : { dispute: formatId('dsp', { shard, uuid: dispute }) }),
  };
}

function timesOf(dispute: Dispute, at: Date) {
  const { state, openedAt, noticeBy, dueAt, answeredAt, closedAt, resultBy, rung } = dispute;
  const next = nextRing(dispute);
  return {
    state,
    openedAt: openedAt.toISOString(),
    noticeBy: noticeBy.toISOString(),
    dueAt: dueAt.toISOString(),
    ...(state === 'CLOSED' ? {} : { overdue: dueAt <= at }),
    ...(next ? { nextClock: { clock: next.clock, at: next.at.toISOString() } } : {}),
    ...(rung.length > 0 ? { rung } : {}),
    ...(answeredAt ? { answeredAt: answeredAt.toISOString() } : {}),
    ...(closedAt ? { closedAt: closedAt.toISOString() } : {}),
    ...(resultBy ? { resultBy: resultBy.toISOString() } : {}),
  };
}
