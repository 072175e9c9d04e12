import type { Severity, Violation } from '#contract';
import type { RecordInForce } from '#records';
import type { LadderStep, Restriction } from './standing.js';

/** What a violation of one severity costs: the step, where it bites and for how long. */
interface Rung {
  readonly step: LadderStep;
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Counted from the day it occurred; without it only clearance or the record's own validity ends it. */
  readonly days?: number;
}

const CREDIT_SERVICES = ['pay-later', 'credit-line', 'procurement-credit', 'working-capital'];

/** The ladder as far as it is built: violations stop services. The cure of every rung is a clearance by the bank that reported. */
export const LADDER: Readonly<Record<Severity, Rung>> = {
  MINOR: { step: 'SERVICE_STOP', services: ['pay-later'], days: 90 },
  MAJOR: { step: 'SERVICE_STOP', services: CREDIT_SERVICES, days: 365 },
  SEVERE: { step: 'SERVICE_STOP', services: [] },
};

const DAY_MS = 86_400_000;

export type LiftedWhy = 'CLEARED' | 'WITHDRAWN' | 'CORRECTED' | 'ENDED';

/** A restriction with what brought it about: the violation's issuer and the root of its chain of corrections. */
export interface ImposedRestriction extends Restriction {
  readonly cause: { readonly iss: string; readonly rootJti: string };
}

export interface LadderChange {
  readonly kept: readonly ImposedRestriction[];
  readonly imposed: readonly ImposedRestriction[];
  readonly lifted: readonly ImposedRestriction[];
}

/** Holds the restrictions that stand against the violations in force: imposes what is missing, lifts what has no ground or is served. */
export function climb(
  standing: readonly ImposedRestriction[],
  records: readonly RecordInForce[],
  at: Date,
  newId: () => string,
): LadderChange {
  const wanted = records.flatMap((record) => wantedFor(record, at));
  const kept = standing.filter((restriction) => wanted.some((want) => isSame(want, restriction)));
  const missing = wanted.filter((want) => !standing.some((restriction) => isSame(want, restriction)));
  return {
    kept,
    imposed: missing.map((want) => ({ id: newId(), startsAt: at, ...want })),
    lifted: standing.filter((restriction) => !kept.includes(restriction)),
  };
}

type Want = Omit<ImposedRestriction, 'id' | 'startsAt'> & { readonly endsAt: Date };

function wantedFor({ iss, rootJti, validUntil, body }: RecordInForce, at: Date): Want[] {
  if (body.kind !== 'violation') return [];
  const { step, services, days } = LADDER[body.violation.severity];
  const served = days === undefined ? validUntil.getTime() : Date.parse(body.violation.occurredAt) + days * DAY_MS;
  const endsAt = new Date(Math.min(validUntil.getTime(), served));
  return endsAt > at ? [{ cause: { iss, rootJti }, step, services, endsAt, reason: reasonOf(body.violation) }] : [];
}

function reasonOf({ code, severity }: Violation): Restriction['reason'] {
  return { code, text: `a partner bank reported a ${severity.toLowerCase()} violation (${code})` };
}

function isSame(want: Want, restriction: ImposedRestriction): boolean {
  return (
    want.cause.iss === restriction.cause.iss &&
    want.cause.rootJti === restriction.cause.rootJti &&
    want.step === restriction.step &&
    want.services.join() === restriction.services.join() &&
    want.endsAt.getTime() === restriction.endsAt?.getTime()
  );
}
