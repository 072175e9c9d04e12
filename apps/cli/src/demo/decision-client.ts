import { randomUUID } from 'node:crypto';
import type { WireMoney } from '#kernel';

export interface DecisionAnswer {
  readonly decisionId: string;
  readonly outcome: 'ALLOW' | 'DENY' | 'REVIEW';
  readonly reasons: readonly { readonly code: string; readonly text: string }[];
  readonly tier: string;
  readonly limits: readonly { readonly id: string; readonly limit: string; readonly available: string }[];
  readonly discount?: { readonly amount: string; readonly rule: string };
  readonly restrictions: readonly { readonly id: string; readonly disputed?: boolean }[];
  readonly reservation?: { readonly id: string; readonly expiresAt: string };
}

export interface DecidedAgain {
  readonly id: string;
  readonly was: { readonly outcome: string };
  /** Undefined: it could not be judged. */
  readonly would?: { readonly outcome: string };
}

export interface Ask {
  readonly subject: string;
  readonly service: string;
  readonly amount: WireMoney;
  readonly mode: 'EVALUATE' | 'RESERVE';
  readonly channel?: string;
  readonly paymentReference?: string;
}

/** How an internal service (here: checkout) talks to decision-api. */
export class DecisionClient {
  constructor(
    private readonly origin: string,
    private readonly token: string,
  ) {}

  async decide(ask: Ask, key: string = randomUUID()): Promise<DecisionAnswer> {
    return (await this.post('/v1/decisions', ask, { 'idempotency-key': key })) as DecisionAnswer;
  }

  async activePolicy(): Promise<{ id: string; version: string }> {
    const headers = { authorization: `Bearer ${this.token}` };
    return (await this.send('/v1/policies/active', { headers })) as { id: string; version: string };
  }

  async confirm(reservationId: string, key: string = randomUUID()): Promise<unknown> {
    return this.post(`/v1/reservations/${reservationId}/confirm`, {}, { 'idempotency-key': key });
  }

  async appeal(subject: string, restriction: string): Promise<{ dueAt: string }> {
    const path = `/v1/subjects/${subject}/restrictions/${restriction}/appeals`;
    return (await this.post(path, { grounds: { code: 'NOT_ME' } }, { 'idempotency-key': randomUUID() })) as { dueAt: string };
  }

  async dispute(subject: string, record: { issuer: string; jti: string }, code: string): Promise<{ id: string; dueAt: string }> {
    const path = `/v1/subjects/${subject}/disputes`;
    return (await this.post(path, { record, code }, { 'idempotency-key': randomUUID() })) as { id: string; dueAt: string };
  }

  /** The decisions that used the disputed record, and what they should have been. Changes nothing. */
  async decideAgain(dispute: string): Promise<readonly DecidedAgain[]> {
    return ((await this.post(`/v1/disputes/${dispute}/re-evaluations`, {}, {})) as { decisions: DecidedAgain[] }).decisions;
  }

  async actOnConsent(subject: string, consent: string, action: 'grant' | 'revoke'): Promise<void> {
    await this.post(`/v1/subjects/${subject}/consents/${consent}/${action}`, {}, {});
  }

  async registerSubject(kind: 'INDIVIDUAL' | 'MERCHANT'): Promise<{ id: string }> {
    return (await this.post('/v1/subjects', { kind }, { 'idempotency-key': randomUUID() })) as { id: string };
  }

  async link(subject: string, participant: string, customerReference: string): Promise<unknown> {
    return this.post(`/v1/subjects/${subject}/links`, { participant, customerReference }, { 'idempotency-key': randomUUID() });
  }

  private post(path: string, body: object, headers: Record<string, string>): Promise<unknown> {
    const all = { ...headers, authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    return this.send(path, { method: 'POST', headers: all, body: JSON.stringify(body) });
  }

  private async send(path: string, request: RequestInit): Promise<unknown> {
    const answer = await fetch(this.origin + path, request);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${request.method ?? 'GET'} ${path} answered ${answer.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
