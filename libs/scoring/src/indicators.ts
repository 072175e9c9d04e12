import { isActive, type Link } from '#consents';
import { parseReported, type Performance, type Rating } from '#contract';
import type { RecordInForce } from '#records';

/** A reason code with its sentence. */
export interface Factor {
  readonly code: string;
  readonly text: string;
}

export const INDICATORS = [
  'bankRating',
  'ratingSpread',
  'worstAccount',
  'pastDueShare',
  'lateMonths',
  'monthsSinceLate',
  'openViolations',
  'worstViolation',
  'historyMonths',
  'reportingBanks',
  'dataAgeDays',
  'inquiries',
] as const;
export type IndicatorName = (typeof INDICATORS)[number];
/** Integers; an indicator that nothing is known about is absent. */
export type Indicators = Readonly<Partial<Record<IndicatorName, number>>>;

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;
const inquiryDays = 180;

/** Days past due that an account status stands for (Metro 2); collection and charge-off are worse than any delay. */
const DAYS_LATE: Readonly<Record<Performance['status'], number>> = {
  '11': 0,
  '13': 0,
  '62': 20,
  '71': 30,
  '78': 60,
  '80': 90,
  '82': 120,
  '83': 150,
  '84': 180,
  '93': 210,
  '97': 240,
};
const SEVERITY_RANK = { MINOR: 1, MAJOR: 2, SEVERE: 3 } as const;
const LATE_MONTH = /[1-6GHJKL]/g;

/** What the records in force say about a subject at a moment, as integers. Records past their validity do not count. */
export function deriveIndicators(records: readonly RecordInForce[], links: readonly Link[], at: Date): Indicators {
  const valid = records.filter(({ validUntil }) => validUntil > at);
  const found = {
    ...ratingIndicators(valid),
    ...performanceIndicators(valid),
    ...violationIndicators(valid),
    ...coverageIndicators(valid, at),
    inquiries: links.filter((link) => isActive(link) && at.getTime() - link.createdAt.getTime() < inquiryDays * DAY_MS).length,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The latest rating of each bank on our scale: their mean, and how far they lie apart. */
function ratingIndicators(records: readonly RecordInForce[]) {
  const ratings = latest(records, ({ iss, body }) => (body.kind === 'rating' ? iss : undefined));
  const scores = ratings.flatMap(({ body }) => (body.kind === 'rating' ? [onOurScale(body.rating)] : []));
  if (scores.length === 0) return {};
  const mean = floorDivide(
    scores.reduce((sum, score) => sum + score, 0),
    scores.length,
  );
  return { bankRating: mean, ratingSpread: scores.length > 1 ? Math.max(...scores) - Math.min(...scores) : undefined };
}

function onOurScale({ score, scale }: Rating): number {
  return 350 + floorDivide((score - scale.min) * 600, scale.max - scale.min);
}

/** The latest report on each account; the worst account counts. */
function performanceIndicators(records: readonly RecordInForce[]) {
  const nameOf = ({ iss, body }: RecordInForce) => (body.kind === 'performance' ? `${iss} ${body.performance.account ?? ''}` : undefined);
  const accounts = latest(records, nameOf).flatMap(({ body }) => (body.kind === 'performance' ? [body.performance] : []));
  if (accounts.length === 0) return {};
  const profiles = accounts.map(({ paymentProfile }) => paymentProfile);
  return {
    worstAccount: Math.max(...accounts.map(({ status }) => DAYS_LATE[status])),
    pastDueShare: Math.max(...accounts.map(pastDuePermille)),
    lateMonths: Math.max(...profiles.map((profile) => profile.match(LATE_MONTH)?.length ?? 0)),
    monthsSinceLate: Math.min(...profiles.map(monthsSinceLate)),
  };
}

function pastDuePermille({ balance, pastDue }: Performance): number {
  const owed = parseReported(balance).minor;
  return owed === 0n ? 0 : Number((parseReported(pastDue).minor * 1_000n) / owed);
}

function monthsSinceLate(profile: string): number {
  const last = profile.search(/[1-6GHJKL]/);
  return last < 0 ? profile.length : last;
}

function violationIndicators(records: readonly RecordInForce[]) {
  const ranks = records.flatMap(({ body }) => (body.kind === 'violation' ? [SEVERITY_RANK[body.violation.severity]] : []));
  return { openViolations: ranks.length, worstViolation: Math.max(0, ...ranks) };
}

/** How much is known: how far back, by how many banks, how fresh. */
function coverageIndicators(records: readonly RecordInForce[], at: Date) {
  const reports = records.filter(({ body }) => body.kind !== 'violation');
  if (reports.length === 0) return { reportingBanks: 0 };
  const ages = reports.map(({ asOf }) => Math.max(0, at.getTime() - asOf.getTime()));
  const profiled = reports.map(({ body }) =>
    body.kind === 'performance' ? body.performance.paymentProfile.replaceAll('B', '').length : 0,
  );
  return {
    historyMonths: Math.max(floorDivide(Math.max(...ages), MONTH_MS), ...profiled),
    reportingBanks: new Set(reports.map(({ iss }) => iss)).size,
    dataAgeDays: floorDivide(Math.min(...ages), DAY_MS),
  };
}

/** The record with the latest `asOf` per name; of two at the same time, the later jti. */
function latest(records: readonly RecordInForce[], nameOf: (record: RecordInForce) => string | undefined): RecordInForce[] {
  const best = new Map<string, RecordInForce>();
  for (const record of records) {
    const name = nameOf(record);
    if (name === undefined) continue;
    const rival = best.get(name);
    const later = !rival || record.asOf > rival.asOf || (record.asOf.getTime() === rival.asOf.getTime() && record.jti > rival.jti);
    if (later) best.set(name, record);
  }
  return [...best.values()];
}

/** Integer division towards minus infinity, exact for safe integers; `by` is positive. */
export function floorDivide(value: number, by: number): number {
  const remainder = ((value % by) + by) % by;
  return (value - remainder) / by;
}
