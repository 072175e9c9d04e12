import { answerOf, type DecisionDetails, type DecisionRow } from '#decisions';
import { formatId, formatMinor, type Shard } from '#kernel';
import type { TraceDetail, TraceStep } from '../api.js';
import { groupDigits } from '../group-digits.js';
import { recordDetails } from './record-details.js';
import type { ReconciliationRow, RecordRow, ReservationRow, RestrictionRow, StatementRow, TraceRows, VersionRow } from './trace-rows.js';

/** A step before its facts are found: `places` are numbers on `shard`, `names` are what a fact's body calls it by. */
export interface BareStep extends Omit<TraceStep, 'facts' | 'at'> {
  readonly at: Date;
  readonly shard: Shard;
  readonly places: readonly bigint[];
  readonly names: readonly string[];
}

/** Where steps of the same moment belong: what was said, what followed, what was decided, what came back. */
const ORDER: readonly TraceStep['kind'][] = ['record', 'score', 'restriction', 'decision', 'reservation', 'statement', 'fact'];

/** The rows as steps, oldest first. */
export function traceSteps(rows: TraceRows, at: Date): BareStep[] {
  const steps = [
    ...rows.records.map(recordStep),
    ...rows.versions.map(versionStep),
    ...rows.restrictions.map((row) => restrictionStep(row, at)),
    ...rows.decisions.map(decisionStep),
    ...rows.reservations.map((row) => reservationStep(row, at, heldAt(row, rows.decisions))),
    ...rows.reconciliations.map(reconciliationStep),
    ...rows.statements.map(statementStep),
  ];
  return steps.sort((a, b) => a.at.getTime() - b.at.getTime() || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

function details(...rows: readonly (TraceDetail | undefined)[]): TraceDetail[] {
  return rows.filter((row): row is TraceDetail => row !== undefined);
}

function detail(label: string, value: string | null | undefined, form: TraceDetail['form'] = 'text'): TraceDetail | undefined {
  return value === null || value === undefined || value === '' ? undefined : { label, value, form };
}

const money = (minor: bigint, currency: string): string => `${groupDigits(formatMinor(minor, currency))} ${currency}`;

const ADVERSE_RECORDS = ['violation'];
const RECORD_TITLES: Readonly<Record<string, string>> = {
  rating: 'Rating received',
  performance: 'Payment performance received',
  violation: 'Violation reported',
  clearance: 'Violation cleared',
  correction: 'Correction received',
  withdrawal: 'Withdrawal received',
};

export const recordKey = (row: Pick<RecordRow, 'iss' | 'jti'>): string => `record ${row.iss} ${row.jti}`;

function recordStep(row: RecordRow): BareStep {
  return {
    key: recordKey(row),
    kind: 'record',
    at: row.accepted_at,
    title: RECORD_TITLES[row.kind] ?? 'Record received',
    tone: ADVERSE_RECORDS.includes(row.kind) ? 'bad' : 'plain',
    badge: row.kind,
    details: details(
      detail('From', row.iss),
      detail('Record', row.jti, 'id'),
      detail('Number of the issuer', row.seq.toString()),
      detail('Replaces', row.names, 'id'),
      ...recordDetails(row.kind, row.payload),
    ),
    shard: row.shard,
    places: [row.fact_seq],
    names: [],
  };
}

function versionStep(row: VersionRow): BareStep {
  const { score, scorecard, factors } = row.content;
  return {
    key: `version ${row.version}`,
    kind: 'score',
    at: row.at,
    title: `Score ${score}`,
    tone: 'plain',
    badge: `standing version ${row.version}`,
    details: details(
      detail('Scorecard', scorecard.version),
      detail('Because of record', row.cause_jti, 'id'),
      detail('Why not higher', factors.map(({ text }) => text).join('\n'), 'list'),
    ),
    shard: row.shard,
    places: [row.fact_seq],
    names: [],
  };
}

const STEP_TITLES: Readonly<Record<string, string>> = {
  WARN: 'Warning',
  LIMIT_CUT: 'Limits cut',
  SERVICE_STOP: 'Services stopped',
  CLOSURE: 'Closed for all services',
  BANK_NOTICE: 'Notice to the banks',
};

function restrictionStep(row: RestrictionRow, at: Date): BareStep {
  const over = row.lifted_at !== null || (row.ends_at !== null && row.ends_at <= at);
  return {
    key: `restriction ${row.id}`,
    kind: 'restriction',
    at: row.starts_at,
    title: `${STEP_TITLES[row.step] ?? row.step}: ${row.reason_text}`,
    tone: over ? 'plain' : 'bad',
    badge: over ? 'over' : 'in force',
    details: details(
      detail('Reason', row.reason_code),
      detail('Services', row.services.length === 0 ? 'all' : row.services.join(', ')),
      detail('Limits left', row.limit_percent === null ? null : `${row.limit_percent} %`),
      detail('Because of record', row.cause_jti, 'id'),
      detail('Ends', row.ends_at?.toISOString(), 'time'),
      detail('Lifted', row.lifted_at?.toISOString(), 'time'),
      detail('Lifted because', row.lifted_why),
    ),
    shard: row.shard,
    places: [],
    names: [formatId('rst', { shard: row.shard, uuid: row.id }), row.id],
  };
}

const OUTCOME_TONES = { ALLOW: 'good', REVIEW: 'wait', DENY: 'bad' } as const;

export const decisionKey = (uuid: string): string => `decision ${uuid}`;

function decisionStep(row: DecisionRow): BareStep {
  const asked = JSON.parse(row.details) as DecisionDetails;
  const answer = answerOf(row);
  const id = formatId('dec', row.decision);
  return {
    key: decisionKey(row.decision.uuid),
    kind: 'decision',
    at: row.at,
    title: `Decision for ${row.service}`,
    tone: OUTCOME_TONES[row.outcome],
    badge: row.outcome,
    details: details(
      detail('Amount', money(BigInt(asked.amount), asked.currency), 'money'),
      detail('Decision', id, 'id'),
      detail('Asked by', row.caller),
      detail('Mode', asked.mode === 'RESERVE' ? 'reserve' : 'evaluate'),
      detail('Counterparty', asked.counterparty),
      detail('Score and tier', `${answer.score.value} · ${answer.tier}`),
      detail('Standing version', row.standingVersion.toString()),
      detail('Policy', `${answer.policy.id} · version ${answer.policy.version}`),
      detail('Discount', answer.discount && `${groupDigits(answer.discount.amount)} ${asked.currency} (${answer.discount.rule})`, 'money'),
      detail('The policy alone says', row.computed === row.outcome ? undefined : row.computed),
      detail('Reasons', answer.reasons.map(({ text, source }) => `${text} (${source})`).join('\n'), 'list'),
      detail('Limits', answer.limits.map((limit) => limitText(limit, asked.currency)).join('\n'), 'list'),
    ),
    shard: row.decision.shard,
    places: [row.seq],
    names: [],
  };
}

/** By its name: a service may have several limits of one window. */
function limitText(
  { id, window, limit, available, count, resetAt }: ReturnType<typeof answerOf>['limits'][number],
  currency: string,
): string {
  const amount = limit === undefined ? [] : [`${groupDigits(available ?? limit)} of ${groupDigits(limit)} ${currency} left`];
  const counted =
    count === undefined ? [] : [`${groupDigits(String(count.available))} of ${groupDigits(String(count.limit))} payments left`];
  const reset = resetAt === undefined ? [] : [`anew ${resetAt.slice(0, 16).replace('T', ' ')} UTC`];
  return `${id} (${window.toLowerCase().replaceAll('_', ' ')}): ${[...amount, ...counted, ...reset].join(', ')}`;
}

const RESERVATION_TONES = { RESERVED: 'wait', CONFIRMED: 'good', RELEASED: 'plain', EXPIRED: 'plain' } as const;
const RESERVATION_TITLES = {
  RESERVED: 'Amount held',
  CONFIRMED: 'Payment confirmed',
  RELEASED: 'Hold released',
  EXPIRED: 'Hold ran out',
} as const;

export const reservationKey = (uuid: string): string => `reservation ${uuid}`;

/** A hold was made with its decision and bears its UUID; without the decision, the time in the UUID (version 7). */
export function heldAt(
  { reservation }: Pick<ReservationRow, 'reservation'>,
  decisions: readonly Pick<DecisionRow, 'decision' | 'at'>[],
): Date {
  const decided = decisions.find(({ decision }) => decision.uuid === reservation)?.at;
  return decided ?? new Date(parseInt(reservation.replaceAll('-', '').slice(0, 12), 16));
}

/** A hold ends at its time even where no sweep has tidied it away yet. */
function reservationStep(row: ReservationRow, at: Date, held: Date): BareStep {
  const state = row.state === 'RESERVED' && row.expires_at <= at ? 'EXPIRED' : row.state;
  const id = formatId('rsv', { shard: row.shard, uuid: row.reservation });
  return {
    key: reservationKey(row.reservation),
    kind: 'reservation',
    at: row.confirmed_at ?? held,
    title: RESERVATION_TITLES[state],
    tone: RESERVATION_TONES[state],
    badge: state,
    details: details(
      detail('Held', money(row.amount_minor, row.currency), 'money'),
      detail('Reservation', id, 'id'),
      detail('Payment reference', row.payment_reference, 'id'),
      detail('Confirmed', row.confirmed_minor > 0n ? money(row.confirmed_minor, row.currency) : null, 'money'),
      detail('Refunded', row.refunded_minor > 0n ? money(row.refunded_minor, row.currency) : null, 'money'),
      detail('Expected on the statement of', row.channel),
      detail('Held until', row.state === 'RESERVED' ? row.expires_at.toISOString() : null, 'time'),
    ),
    shard: row.shard,
    places: [],
    names: [id, row.reservation],
  };
}

export const reconciliationKey = (uuid: string): string => `reconciliation ${uuid}`;

function reconciliationStep(row: ReconciliationRow): BareStep {
  const counts = Object.entries(row.counts).map(([kind, count]) => `${kind.toLowerCase().replaceAll('_', ' ')}: ${count}`);
  return {
    key: reconciliationKey(row.id),
    kind: 'statement',
    at: row.received_at,
    title: `Statement of ${row.participant}`,
    tone: row.state === 'BALANCED' ? 'good' : row.state === 'BROKEN' ? 'bad' : 'wait',
    badge: row.state,
    details: details(
      detail('Reconciliation', formatId('rec', { shard: row.shard, uuid: row.id }), 'id'),
      detail('Lines read', `${row.lines_read} of ${row.lines_total}`),
      detail('Closed', row.closed_at?.toISOString(), 'time'),
      detail('File digest', Buffer.from(row.digest).toString('hex')),
      detail('Outcomes', counts.join('\n'), 'list'),
    ),
    shard: row.shard,
    places: [],
    names: [row.id],
  };
}

function statementStep(row: StatementRow): BareStep {
  const matched = row.kind === 'MATCHED';
  const line = row.line_minor !== null && row.line_currency !== null ? money(row.line_minor, row.line_currency) : null;
  return {
    key: `statement ${row.reconciliation} ${row.n}`,
    kind: 'statement',
    at: row.received_at,
    title: matched ? 'Found on the statement' : `Break: ${row.kind.toLowerCase().replaceAll('_', ' ')}`,
    tone: matched ? 'good' : 'bad',
    badge: row.kind,
    details: details(
      detail('Why', row.reason),
      detail('Statement of', row.participant),
      detail('Amount of the line', line, 'money'),
      detail('Payment reference', row.payment_reference ?? row.line_reference, 'id'),
      detail('Booked', row.booked_day),
      detail('Identified by', row.identified_by?.replaceAll('_', ' ')),
      detail('Line of the file', row.file_line?.toString()),
      detail('Reconciliation', formatId('rec', { shard: row.shard, uuid: row.reconciliation }), 'id'),
    ),
    shard: row.shard,
    places: [],
    names: [row.reconciliation],
  };
}
