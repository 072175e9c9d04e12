import type { DisputeState, OpenDisputeRequest } from '#contract';
import type { DisputeFacts } from '../bank-disputes.js';
import { pagePath, rowsOf } from '../pages.js';
import type { SubjectCalls } from './subject-calls.js';

/** A record about a subject, without its content. Only one that is IN_FORCE counts, and can be disputed. */
export interface SubjectRecordStatus {
  readonly issuer: string;
  readonly jti: string;
  readonly kind: string;
  readonly state?: 'IN_FORCE' | 'CORRECTED' | 'WITHDRAWN' | 'CLEARED' | 'REMOVED' | 'EXPIRED';
  /** The record that it corrects, withdraws or clears. */
  readonly names?: string;
  readonly issuedAt: string;
  readonly receivedAt: string;
  readonly asOf?: string;
  readonly validUntil?: string;
  /** The dispute that is open about it. */
  readonly dispute?: string;
}

/** A dispute with the proof of delivery: who was told what, and when it acknowledged. */
export interface SubjectDisputeStatus extends DisputeFacts {
  readonly subject: string;
  readonly record: { readonly issuer: string; readonly jti: string };
  readonly treatment: { readonly score: 'EXCLUDE' | 'CAP' | 'KEEP'; readonly capPoints: number; readonly restrictions: 'KEEP' | 'SUSPEND' };
  readonly notices: readonly {
    readonly participant: string;
    readonly event: string;
    readonly kind: string;
    readonly toldAt: string;
    readonly heardAt?: string;
  }[];
}

/** A decision that used the disputed record; `other`, `was` and `would` once it was decided again. */
export interface AffectedDecisionStatus {
  readonly id: string;
  readonly decidedAt: string;
  readonly service: string;
  readonly outcome: string;
  readonly standingVersion: string;
  readonly other?: boolean;
  readonly was?: { readonly outcome: string; readonly score: number; readonly tier: string };
  readonly would?: { readonly outcome: string; readonly score: number; readonly tier: string };
}

/** What a subject says of the records about it. Every call may be repeated; scopes `disputes:read`, `disputes:write`. */
export class SubjectDisputes {
  constructor(private readonly calls: SubjectCalls) {}

  /** The newest first: all of them, or those that count now. */
  records(subject: string, { state }: { readonly state?: 'IN_FORCE' } = {}): AsyncGenerator<SubjectRecordStatus> {
    return rowsOf((after) => this.calls.get(pagePath(`/v1/subjects/${subject}/records`, { state }, after)), 'records');
  }

  /** When this answers, every answer that uses the record says that it is disputed. The same key and request give the first dispute again. */
  async open(subject: string, request: OpenDisputeRequest, key: string): Promise<SubjectDisputeStatus> {
    return (await this.calls.post(`/v1/subjects/${subject}/disputes`, request, key)) as SubjectDisputeStatus;
  }

  /** What the subject adds, once: the furnisher hears of it and has 15 days more. `statementDigest`: SHA-256, hex. */
  async add(dispute: string, statementDigest: string): Promise<SubjectDisputeStatus> {
    return (await this.calls.post(`/v1/disputes/${dispute}/information`, { statementDigest })) as SubjectDisputeStatus;
  }

  /** The disputes of one subject's records, the newest first: all of them, or those of one state. */
  list(subject: string, { state }: { readonly state?: DisputeState } = {}): AsyncGenerator<SubjectDisputeStatus> {
    return rowsOf((after) => this.calls.get(pagePath(`/v1/subjects/${subject}/disputes`, { state }, after)), 'disputes');
  }

  /** A dispute with its clock, its answer, and who was told and has heard. 404 `dispute.unknown`. */
  async status(dispute: string): Promise<SubjectDisputeStatus> {
    return (await this.calls.get(`/v1/disputes/${dispute}`)) as SubjectDisputeStatus;
  }

  /** The decisions that used the disputed record, in their order. */
  decisions(dispute: string): AsyncGenerator<AffectedDecisionStatus> {
    return rowsOf((after) => this.calls.get(afterOf(`/v1/disputes/${dispute}/decisions`, after)), 'decisions');
  }

  /** The same, decided again as they should have been. Changes nothing; each page that is taken is a fact. */
  redecide(dispute: string): AsyncGenerator<AffectedDecisionStatus> {
    return rowsOf((after) => this.calls.post(afterOf(`/v1/disputes/${dispute}/re-evaluations`, after), {}), 'decisions');
  }
}

const afterOf = (path: string, after: string | undefined): string => (after === undefined ? path : `${path}?after=${after}`);
