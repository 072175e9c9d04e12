import { randomUUID } from 'node:crypto';
import type { WireConsentRequest } from '#contract';
import type { GatewayClient } from './gateway-client.js';

/** A consent as its recipient sees it. */
export interface ConsentStatus {
  readonly id: string;
  readonly sub: string;
  readonly state: 'REQUESTED' | 'ACTIVE' | 'PAUSED' | 'REJECTED' | 'REVOKED' | 'EXPIRED' | 'CONSUMED';
  readonly version: number;
  readonly claims?: readonly string[];
  readonly threshold?: { readonly atLeast: number };
  readonly dataLifeSeconds: number;
  readonly expiresAt: string;
  readonly uses: number;
  /** The signed artefact of the version that stands (`consent+jwt`). */
  readonly artefact: string;
}

/** What subjects allow us to read. `BankClient.rating` reads. */
export class BankConsents {
  constructor(private readonly gateway: GatewayClient) {}

  /** Asks; the event `consent.granted` or `consent.rejected` says what became of it. The same key and wish give the first consent again. */
  async request(wish: WireConsentRequest, idempotencyKey: string = randomUUID()): Promise<ConsentStatus> {
    const body = JSON.stringify(wish);
    return await this.send({ method: 'POST', path: '/v1/consents', body, contentType: 'application/json', idempotencyKey });
  }

  async status(id: string): Promise<ConsentStatus> {
    return await this.send({ method: 'GET', path: `/v1/consents/${encodeURIComponent(id)}` });
  }

  /** Takes a request back, or gives a consent back. */
  async withdraw(id: string): Promise<ConsentStatus> {
    return await this.send({ method: 'POST', path: `/v1/consents/${encodeURIComponent(id)}/withdraw` });
  }

  private async send(call: Parameters<GatewayClient['send']>[0]): Promise<ConsentStatus> {
    return (await this.gateway.send(call)).json() as ConsentStatus;
  }
}
