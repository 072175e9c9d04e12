import type { DisputableKind, DisputeAnswerRequest, DisputeCode, DisputeState, FlagRecordRequest } from '#contract';
import type { GatewayClient } from './gateway-client.js';
import { pagePath, rowsOf } from './pages.js';

/** What every side sees of a dispute. */
export interface DisputeFacts {
  readonly id: string;
  readonly kind: DisputableKind;
  readonly openedBy: 'SUBJECT' | 'FURNISHER';
  readonly code: DisputeCode;
  /** SHA-256 (hex) of what the subject said; the words stay with the service it used. */
  readonly statementDigest?: string;
  readonly added?: { readonly statementDigest: string; readonly at: string };
  readonly state: DisputeState;
  readonly openedAt: string;
  readonly noticeBy: string;
  /** Until when the furnisher answers. Silent, it loses the record. */
  readonly dueAt: string;
  readonly overdue?: boolean;
  readonly nextClock?: { readonly clock: string; readonly at: string };
  readonly rung?: readonly string[];
  readonly answer?: DisputeAnswerRequest;
  readonly answeredAt?: string;
  readonly outcome?: 'VERIFIED' | 'CORRECTED' | 'WITHDRAWN' | 'SILENT';
  readonly closedAt?: string;
  readonly resultBy?: string;
}

/** A dispute of a record of ours. */
export interface DisputeStatus extends DisputeFacts {
  readonly sub: string;
  /** Our record's jti. */
  readonly record: string;
}

/** Disputes of our own records: events tell of them, these answer. Every call may be repeated. */
export class BankDisputes {
  constructor(private readonly gateway: GatewayClient) {}

  /** The newest first, of all states or one: `OPEN` is what waits for us. */
  list({ state }: { readonly state?: DisputeState } = {}): AsyncGenerator<DisputeStatus> {
    return rowsOf(async (after) => (await this.get(pagePath('/v1/disputes', { state }, after))).json(), 'disputes');
  }

  /** Throws `ProblemError` 404 `dispute.unknown`, also for another bank's. */
  async status(id: string): Promise<DisputeStatus> {
    return (await this.get(pathOf(id))).json() as DisputeStatus;
  }

  /** Flags a record of ours that we doubt: every answer that uses it says so, until we answer. */
  async flag(jti: string, flag: FlagRecordRequest): Promise<DisputeStatus> {
    return await this.post(`/v1/records/${encodeURIComponent(jti)}/disputes`, flag);
  }

  /** It is right. `evidenceDigest`: SHA-256 (hex) of what shows it, which we keep. The record counts as before. */
  async verified(id: string, evidenceDigest: string): Promise<DisputeStatus> {
    return await this.answer(id, { answer: 'VERIFIED', evidenceDigest });
  }

  /** It is wrong: `record` is the jti of our correction. Where that has not arrived yet, the dispute waits for it. */
  async corrected(id: string, record: string): Promise<DisputeStatus> {
    return await this.answer(id, { answer: 'CORRECTED', record });
  }

  /** It should not be there. Without `record`, the jti of a withdrawal of ours, this answer withdraws it. */
  async withdrawn(id: string, record?: string): Promise<DisputeStatus> {
    return await this.answer(id, { answer: 'WITHDRAWN', ...(record === undefined ? {} : { record }) });
  }

  /** There is one answer: the same again is repeated, another throws `ProblemError` 409 `dispute.answered` or `dispute.closed`. */
  async answer(id: string, answer: DisputeAnswerRequest): Promise<DisputeStatus> {
    return await this.post(`${pathOf(id)}/answer`, answer);
  }

  private get(path: string) {
    return this.gateway.send({ method: 'GET', path });
  }

  private async post(path: string, body: object): Promise<DisputeStatus> {
    const call = { method: 'POST' as const, path, body: JSON.stringify(body), contentType: 'application/json' };
    return (await this.gateway.send(call)).json() as DisputeStatus;
  }
}

const pathOf = (id: string): string => `/v1/disputes/${encodeURIComponent(id)}`;
