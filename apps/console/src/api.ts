/** What the console's API answers. Types only: the web app imports them too. Times are RFC 3339 in UTC, ids are external, money is decimal text. */

import type { PolicyState } from './policies/api.js';

export type * from './consents/api.js';
export type * from './partners/api.js';
export type * from './policies/api.js';
export type * from './reconciliations/api.js';
/** Where the pages are: the server sends the web app there, and the web app draws it. */
export type PagePath =
  '/' | '/decisions' | '/restrictions' | '/consents' | '/disputes' | '/reconciliations' | '/policies' | '/audit' | '/verify' | '/partners';
export type RoleName = 'compliance' | 'risk' | 'operator' | 'auditor';
export type PermissionName =
  | 'overview.read'
  | 'decisions.read'
  | 'restrictions.read'
  | 'restrictions.order'
  | 'retractions.read'
  | 'consents.read'
  | 'reconciliations.read'
  | 'audit.read'
  | 'audit.export'
  | 'partners.read'
  | 'partners.change'
  | 'policies.read'
  | 'policies.change';

export interface SignedInStaff {
  readonly name: string;
  readonly role: RoleName;
  readonly permissions: readonly PermissionName[];
}

export type Outcome = 'ALLOW' | 'DENY' | 'REVIEW';

/** The last checkpoint the sealer signed; undefined: nothing is sealed yet. */
export interface CheckpointView {
  readonly origin: string;
  readonly size: string;
  readonly rootHash: string;
  readonly sealedAt: string;
  /** The signed note itself, as anyone can verify it. */
  readonly note: string;
}

/** Public keys of the log, its exports and its receipts, one per line (c2sp.org/signed-note); empty: none were written here yet. */
export interface LogKeysView {
  readonly vkeys: string;
}

export type OutcomeCounts = Readonly<Record<Outcome, number>>;

export interface OverviewView {
  readonly at: string;
  readonly decisions: {
    /** The counts are of this much time up to `at`: an hour, or less where more than one screen's worth happened. */
    readonly windowSeconds: number;
    /** Even the shortest window held more than is counted for a screen: the counts are lower bounds. */
    readonly capped: boolean;
    readonly counts: OutcomeCounts;
    /** Bars of equal time over the window, oldest first. */
    readonly bars: readonly OutcomeCounts[];
  };
  /** `about`: estimated, there are too many to count for a screen. */
  readonly records: { readonly total: string; readonly about: boolean; readonly lastAcceptedAt: string | null };
  readonly breaks: { readonly open: number; readonly more: boolean; readonly oldest: { readonly at: string; readonly id: string } | null };
  readonly log: {
    readonly facts: string;
    readonly sealed: string;
    readonly lastCheckpointAt: string | null;
    /** When the oldest of the facts happened that are not sealed yet. */
    readonly waitingSince: string | null;
  };
  readonly alarms: readonly { readonly code: string; readonly detail: string; readonly raisedAt: string }[];
}

export interface DecisionRow {
  readonly id: string;
  readonly at: string;
  readonly outcome: Outcome;
  readonly service: string;
  readonly mode: 'EVALUATE' | 'RESERVE';
  readonly subject: string;
  readonly money: { readonly amount: string; readonly currency: string };
  readonly reasons: readonly string[];
  readonly paymentReference: string | null;
  readonly reservationState: string | null;
}

/** A page of a list, newest first; `next` continues it, null: that was all. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

export interface FactView {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly subject: string | null;
  readonly participant: string | null;
  readonly body: unknown;
  /** Place in the sealed log; null: accepted, not sealed yet. */
  readonly logIndex: string | null;
}

export type TraceKind = 'fact' | 'record' | 'score' | 'restriction' | 'decision' | 'reservation' | 'statement';

/** One thing that happened to a subject, with the facts that prove it. */
export interface TraceStep {
  readonly key: string;
  readonly kind: TraceKind;
  readonly at: string;
  readonly title: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'wait';
  readonly badge: string | null;
  readonly details: readonly TraceDetail[];
  readonly facts: readonly FactView[];
}

export interface TraceDetail {
  readonly label: string;
  readonly value: string;
  /** `id`: can be copied and traced further. */
  readonly form: 'text' | 'id' | 'money' | 'time' | 'list';
}

export interface TraceView {
  /** What the pasted text was understood as, such as `a payment reference`. */
  readonly understoodAs: string;
  /** The step that was asked for; null: the trace is of the subject as a whole. */
  readonly focus: string | null;
  readonly subject: {
    readonly id: string;
    readonly kind: string;
    readonly score: number | null;
    readonly standingVersion: string | null;
    readonly restrictions: number;
  } | null;
  readonly steps: readonly TraceStep[];
  /** More happened than one screen shows. */
  readonly cut: boolean;
}

export type ExportState = 'REQUESTED' | 'RUNNING' | 'DONE' | 'FAILED';

export interface ExportView {
  readonly id: string;
  readonly state: ExportState;
  readonly requestedAt: string;
  readonly requestedBy: string;
  readonly selection: string;
  readonly entriesDone: number;
  readonly entriesTotal: number;
  readonly entriesIncluded: number;
  readonly bytes: number | null;
  readonly failure: string | null;
  readonly fileName: string;
}

/** Which entries of the log to export: from (included) to (excluded), of one kind or of all. */
export interface ExportRequest {
  readonly from: string;
  readonly to: string;
  readonly kind?: string;
}

export interface AppealView {
  readonly id: string;
  readonly subject: string;
  readonly restriction: string;
  readonly grounds: { readonly code: string; readonly evidenceDigest?: string | undefined };
  readonly state: 'OPEN' | 'UPHELD' | 'OVERTURNED';
  readonly openedAt: string;
  readonly dueAt: string;
  readonly overdue?: boolean;
  readonly remindedAt?: string;
  readonly answeredAt?: string;
}

export interface SanctionView {
  readonly step: string;
  readonly services: readonly string[];
  readonly limitPercent?: number;
  readonly limitAmount?: { readonly amount: string; readonly currency: string };
  readonly days?: number;
}

/** What a member of staff ordered; WAITING: for a second person. */
export interface OrderView {
  readonly id: string;
  readonly subject: string;
  readonly kind: 'IMPOSE' | 'LIFT' | 'UPHOLD' | 'OVERTURN';
  readonly sanction?: SanctionView;
  readonly restriction?: string;
  readonly reason: { readonly code: string; readonly text: string };
  readonly evidence: { readonly digest: string; readonly reference: string };
  readonly by: string;
  readonly askedAt: string;
  readonly state: 'WAITING' | 'DONE' | 'DECLINED';
  readonly decidedBy?: string;
  readonly decidedAt?: string;
}

export interface RestrictionDeskView {
  readonly at: string;
  readonly appeals: readonly AppealView[];
  readonly orders: readonly OrderView[];
}

export interface RestrictionView extends Omit<SanctionView, 'days'> {
  readonly id: string;
  readonly reason: { readonly code: string; readonly text: string };
  readonly state: 'IN_FORCE' | 'OVER';
  readonly startsAt: string;
  readonly endsAt?: string;
  readonly over?: { readonly at: string; readonly why: string };
  readonly cure?: { readonly code: string; readonly text: string };
  readonly appealUntil?: string;
  readonly ladder: string;
  readonly rung?: string;
  readonly evidence: { readonly digest: string };
  readonly appeal?: AppealView;
  readonly banksTold: number;
}

export interface SubjectRestrictionsView {
  readonly at: string;
  readonly subject: string;
  readonly restrictions: readonly RestrictionView[];
}

/** A dispute of a record: its clock, its answer, and who was told and has heard. */
export interface DisputeView {
  readonly id: string;
  readonly subject: string;
  readonly record: { readonly issuer: string; readonly jti: string };
  readonly kind: string;
  readonly openedBy: 'SUBJECT' | 'FURNISHER';
  readonly code: string;
  readonly state: 'OPEN' | 'ANSWERED' | 'CLOSED';
  readonly openedAt: string;
  readonly noticeBy: string;
  readonly dueAt: string;
  readonly overdue?: boolean;
  readonly nextClock?: { readonly clock: string; readonly at: string };
  readonly answeredAt?: string;
  readonly closedAt?: string;
  readonly resultBy?: string;
  readonly outcome?: 'VERIFIED' | 'CORRECTED' | 'WITHDRAWN' | 'SILENT';
  readonly treatment: { readonly score: 'EXCLUDE' | 'CAP' | 'KEEP'; readonly capPoints: number; readonly restrictions: 'KEEP' | 'SUSPEND' };
  readonly notices: readonly {
    readonly participant: string;
    readonly event: string;
    readonly kind: string;
    readonly toldAt: string;
    readonly heardAt?: string;
  }[];
}

export interface DisputeDeskView {
  readonly at: string;
  readonly disputes: readonly DisputeView[];
  /** There are more than are shown. */
  readonly more: boolean;
}

interface AnswerView {
  readonly outcome: Outcome;
  readonly score: number;
  readonly tier: string;
}

/** A decision that used a disputed record; `other`, `was` and `would` once it was decided again. */
export interface AffectedView {
  readonly id: string;
  readonly decidedAt: string;
  readonly caller: string;
  readonly service: string;
  readonly amount: { readonly amount: string; readonly currency: string };
  readonly outcome: Outcome;
  readonly standingVersion: string;
  readonly policyVersion: string;
  readonly other?: boolean;
  readonly was?: AnswerView;
  readonly would?: AnswerView;
}

export interface AffectedPageView {
  readonly decisions: readonly AffectedView[];
  /** Ask with `after` for what follows. */
  readonly next?: string;
}

/** A bank that was told of a restriction and has not acknowledged yet that it is over. */
export interface RetractionView {
  readonly participant: string;
  readonly event: string;
  /** A restriction that is over, or else a record that was withdrawn. */
  readonly restriction?: string;
  readonly record?: string;
  readonly since: string;
  readonly ageSeconds: number;
  readonly failures: number;
  readonly failure?: string;
  readonly retryAt?: string;
  /** The bank's webhook has given up. */
  readonly deadAt?: string;
}

/** REFUSED: the other policy would not have judged it at all. */
export type WouldBe = Outcome | 'REFUSED';

export interface CellView {
  readonly was: Outcome;
  readonly would: WouldBe;
  readonly count: number;
  readonly amount: string;
}

export interface ChangesView {
  readonly name: string;
  readonly count: number;
  readonly changes: readonly CellView[];
}

export interface PairView {
  readonly name: string;
  readonly was: number;
  readonly would: number;
}

/** What deciding again under another policy found. */
export interface TallyView {
  readonly currency: string;
  readonly decisions: { readonly count: number; readonly amount: string };
  readonly differing: { readonly outcome: number; readonly computed: number; readonly discount: number; readonly reasons: number };
  readonly assumed: { readonly count: number; readonly amount: string };
  readonly discount: { readonly was: string; readonly would: string };
  readonly matrix: readonly CellView[];
  readonly byTier: readonly ChangesView[];
  readonly byBand: readonly ChangesView[];
  readonly reasons: readonly PairView[];
  readonly limits: readonly PairView[];
  readonly examples: readonly {
    readonly decision: string;
    readonly at: string;
    readonly service: string;
    readonly tier: string;
    readonly amount: string;
    readonly was: Outcome;
    readonly would: WouldBe;
    readonly why: string;
  }[];
}

export interface ShadowView {
  readonly version: string;
  readonly state: PolicyState;
  readonly since: string;
  /** Facts that are not compared yet. */
  readonly behind: number;
  readonly notes: readonly string[];
  readonly found: TallyView;
}

export interface BacktestView {
  readonly id: string;
  readonly state: 'REQUESTED' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly policy: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly assume: 'CONFIRMED' | 'EXPIRED';
  readonly begin: 'CONTINUE' | 'COUNTED';
  readonly percent: number;
  readonly decisions: number;
  readonly failure: string | null;
  readonly finishedAt: string | null;
}

export interface BacktestReportView {
  readonly backtest: BacktestView;
  readonly report: { readonly found: TallyView; readonly assumptions: readonly string[]; readonly historyDigest: string } | null;
}
