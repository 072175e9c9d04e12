import { randomUUID } from 'node:crypto';
import type { ConsentPurpose, FetchType, WireConsentRequest } from '#contract';
import type { GatewayClient } from './gateway-client.js';
import { pagePath, rowsOf } from './pages.js';

export type ConsentState = 'REQUESTED' | 'ACTIVE' | 'PAUSED' | 'REJECTED' | 'REVOKED' | 'EXPIRED' | 'CONSUMED';

/** What a consent allows: some claims, or the answer to one threshold. */
export interface ConsentTermsStatus {
  readonly purpose: ConsentPurpose;
  readonly claims?: readonly string[];
  readonly threshold?: { readonly atLeast: number };
  readonly fetch: { readonly type: FetchType; readonly count?: number; readonly every?: string };
  readonly dataLifeSeconds: number;
  readonly notBefore: string;
  readonly expiresAt: string;
}

/** A consent as its recipient sees it. */
export interface ConsentStatus extends ConsentTermsStatus {
  readonly id: string;
  readonly sub: string;
  readonly state: ConsentState;
  readonly version: number;
  /** Who brought this version about. */
  readonly by: 'RECIPIENT' | 'SUBJECT' | 'PLATFORM';
  readonly uses: number;
  readonly requestedAt: string;
  readonly changedAt: string;
  /** The signed artefact of the version that stands (`consent+jwt`): `verifyConsent` checks it offline. */
  readonly artefact: string;
}

/** One version with the artefact that we were given then, signed as it verifies today. */
export interface ConsentVersionStatus {
  readonly version: number;
  readonly happened: string;
  readonly at: string;
  readonly artefact: string;
}

/** One read of ours; the subject sees the same list. */
export interface ConsentUseStatus {
  readonly n: number;
  readonly version: number;
  readonly purpose: ConsentPurpose;
  readonly claims?: readonly string[];
  readonly threshold?: { readonly atLeast: number };
  readonly at: string;
  /** Up to here we may keep what we read. */
  readonly keepUntil: string;
}

/** What subjects allow us to read. `BankClient.rating` reads. */
export class BankConsents {
  constructor(private readonly gateway: GatewayClient) {}

  /** Asks; the event `consent.granted` or `consent.rejected` says what became of it. The same key and wish give the first consent again. */
  async request(wish: WireConsentRequest, idempotencyKey: string = randomUUID()): Promise<ConsentStatus> {
    const body = JSON.stringify(wish);
    return await this.send({ method: 'POST', path: '/v1/consents', body, contentType: 'application/json', idempotencyKey });
  }

  /** How a consent of ours stands, with the signed artefact (`verifyConsent`) once it was granted. 404 `consent.unknown`. */
  async status(id: string): Promise<ConsentStatus> {
    return await this.send({ method: 'GET', path: pathOf(id) });
  }

  /** Ours in every state, the newest first; of one subject where `sub` names it. */
  list({ sub }: { readonly sub?: string } = {}): AsyncGenerator<ConsentStatus> {
    return rowsOf((after) => this.read(pagePath('/v1/consents', { sub }, after)), 'consents');
  }

  /** Every version it had, the first one first. */
  versions(id: string): AsyncGenerator<ConsentVersionStatus> {
    return rowsOf((after) => this.read(pagePath(`${pathOf(id)}/versions`, {}, after)), 'versions');
  }

  /** Every read of ours under it, the first one first. */
  uses(id: string): AsyncGenerator<ConsentUseStatus> {
    return rowsOf((after) => this.read(pagePath(`${pathOf(id)}/uses`, {}, after)), 'uses');
  }

  /** Takes a request back, or gives a consent back. */
  async withdraw(id: string): Promise<ConsentStatus> {
    return await this.send({ method: 'POST', path: `${pathOf(id)}/withdraw` });
  }

  private async send(call: Parameters<GatewayClient['send']>[0]): Promise<ConsentStatus> {
    return (await this.gateway.send(call)).json() as ConsentStatus;
  }

  private async read(path: string): Promise<unknown> {
    return (await this.gateway.send({ method: 'GET', path })).json();
  }
}

const pathOf = (id: string): string => `/v1/consents/${encodeURIComponent(id)}`;
