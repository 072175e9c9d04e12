import type { CreditRecord } from '#contract';
import { Refusal } from '#kernel';

/** How far a sender's clock may be ahead of ours. */
const clockAheadSecondsMax = 60;
/** The longest a statement may count: five years, after which negative data is to be forgotten (ANCHORS.md C7). */
const validityDaysMax = 1_827;

const DAY_MS = 86_400_000;

/** Refuses 403 `record.issuer_mismatch`: a participant speaks for itself only. */
export function checkIssuer(record: CreditRecord, caller: string): void {
  if (record.iss !== caller) {
    throw new Refusal('forbidden', 'record.issuer_mismatch', 'iss must be the participant that sends the record', { field: '/iss' });
  }
}

/** Refuses 422 `record.in_future`, `record.expired` and `record.validity` with the field. */
export function checkTimes(record: CreditRecord, at: Date): void {
  const latest = at.getTime() + clockAheadSecondsMax * 1_000;
  const asOf = Date.parse(record.asOf);
  if (record.iat * 1_000 > latest) throw refusal('record.in_future', 'iat is in the future', '/iat');
  if (asOf > latest) throw refusal('record.in_future', 'asOf is in the future', '/asOf');
  const occurredAt = record.kind === 'violation' ? record.violation.occurredAt : undefined;
  if (occurredAt !== undefined && Date.parse(occurredAt) > latest) {
    throw refusal('record.in_future', 'occurredAt is in the future', '/violation/occurredAt');
  }
  if (record.validUntil !== undefined) checkValidity(asOf, Date.parse(record.validUntil), at);
}

function checkValidity(asOf: number, validUntil: number, at: Date): void {
  if (validUntil <= asOf) throw refusal('record.validity', 'validUntil must be after asOf', '/validUntil');
  if (validUntil <= at.getTime()) throw refusal('record.expired', 'the record was valid only until a time that has passed', '/validUntil');
  if (validUntil - asOf > validityDaysMax * DAY_MS) {
    throw refusal('record.validity', 'validUntil is too far from asOf', '/validUntil', `validityDaysMax=${validityDaysMax}`);
  }
}

function refusal(code: string, detail: string, field: string, limit?: string): Refusal {
  return new Refusal('unprocessable', code, detail, limit === undefined ? { field } : { field, limit });
}
