import type { ImposedRestriction, LiftedWhy } from '../imposed.js';
import type { Restriction } from '../standing.js';

/** A row of `restrictions` as PostgreSQL tells it in JSON; no amount is above 10^15, so its number is exact. */
export interface RestrictionJson {
  readonly id: string;
  readonly step: Restriction['step'];
  readonly services: readonly string[];
  readonly limit_percent: number | null;
  readonly limit_minor: number | null;
  readonly currency: string | null;
  readonly reason_code: string;
  readonly reason_text: string;
  readonly cause_iss: string | null;
  readonly cause_jti: string | null;
  readonly evidence_digest: string;
  readonly evidence_reference: string;
  readonly ladder: string;
  readonly rung: string | null;
  readonly cure_code: string | null;
  readonly cure_text: string | null;
  readonly told: readonly string[];
  readonly starts_at: string;
  readonly ends_at: string | null;
  readonly appeal_until: string | null;
  readonly lifted_at: string | null;
  readonly lifted_why: LiftedWhy | null;
}

/** What a decision asks for. */
export function readShownRestriction(row: RestrictionJson): Restriction {
  return {
    id: row.id,
    step: row.step,
    services: row.services,
    ...(row.limit_percent === null ? {} : { limitPercent: row.limit_percent }),
    ...(row.limit_minor === null || row.currency === null ? {} : { limitMinor: BigInt(row.limit_minor), currency: row.currency }),
    reason: { code: row.reason_code, text: row.reason_text },
    startsAt: new Date(row.starts_at),
    ...(row.ends_at === null ? {} : { endsAt: new Date(row.ends_at) }),
    ...(row.cure_code === null || row.cure_text === null ? {} : { cure: { code: row.cure_code, text: row.cure_text } }),
    ...(row.appeal_until === null ? {} : { appealUntil: new Date(row.appeal_until) }),
  };
}

export function readRestriction(row: RestrictionJson): ImposedRestriction {
  return {
    ...readShownRestriction(row),
    ...(row.cause_iss === null || row.cause_jti === null ? {} : { cause: { iss: row.cause_iss, rootJti: row.cause_jti } }),
    evidence: { digest: row.evidence_digest, reference: row.evidence_reference },
    ladder: row.ladder,
    ...(row.rung === null ? {} : { rung: row.rung }),
    told: row.told,
  };
}

/** As `save_standing` takes it; what is undefined is left out of JSON and null in the table. */
export function restrictionRow(one: ImposedRestriction) {
  const { id, step, services, reason, evidence, ladder, rung, told, startsAt, endsAt, appealUntil } = one;
  return {
    id,
    step,
    services,
    ladder,
    rung,
    told,
    ...cutColumns(one),
    ...originColumns(one),
    reason_code: reason.code,
    reason_text: reason.text,
    evidence_digest: evidence.digest,
    evidence_reference: evidence.reference,
    starts_at: startsAt,
    ends_at: endsAt,
    appeal_until: appealUntil,
  };
}

function cutColumns({ limitPercent, limitMinor, currency }: ImposedRestriction) {
  return { limit_percent: limitPercent, limit_minor: limitMinor?.toString(), currency };
}

function originColumns({ cause, cure }: ImposedRestriction) {
  return { cause_iss: cause?.iss, cause_jti: cause?.rootJti, cure_code: cure?.code, cure_text: cure?.text };
}
