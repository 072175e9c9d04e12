import { createPublicKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parsePublicJwk, type VerificationKey, verifyJws } from '#evidence';
import type { GatewayClient } from './gateway-client.js';
import { pagePath, rowsOf } from './pages.js';
import { ProblemError } from './problem-error.js';
import { signCompact, type SigningKey } from './record-signer.js';

export interface BankKeyStatus {
  readonly kid: string;
  readonly alg: SigningKey['alg'];
  readonly state: 'ANNOUNCED' | 'PROBED' | 'READY' | 'ACTIVE' | 'RETIRED' | 'COMPROMISED';
  readonly addedAt: string;
  /** What the announced key must sign. */
  readonly challenge?: string;
  /** From when every process of the gateway knows the key. */
  readonly readyAt?: string;
  readonly notAfter?: string;
  readonly suspectedSince?: string;
}

export interface SuspectRecord {
  readonly jti: string;
  readonly kind: string;
  readonly seq: number;
  readonly acceptedAt: string;
  readonly fact: string;
}

export interface CertificateRequest {
  readonly id: string;
  readonly state: string;
  /** PEM, once it is ISSUED. */
  readonly certificate?: string;
}

const path = '/v1/participants/me';
const introducePatienceMsDefault = 60_000;
const waitMs = 1_000;

/** Our signing keys and certificates, and the gateway's next keys: rotation without a pause (CONTRACT.md §1). Every call may be repeated. */
export class BankKeys {
  constructor(
    private readonly gateway: GatewayClient,
    private readonly origin: string,
  ) {}

  /**
   * Announces the next key, proves it, waits some ten seconds until every process of the gateway knows it, and activates it. After a crash call it
   * again: it goes on. Then sign with it (a new `BankClient`) and `retire` the one before. Throws `ProblemError`, such as 409 `key.duplicate`.
   */
  async introduce(key: SigningKey, { notAfter, patienceMs = introducePatienceMsDefault }: IntroduceOptions = {}): Promise<BankKeyStatus> {
    const end = notAfter === undefined ? {} : { notAfter: notAfter.toISOString() };
    const announced = await this.post<BankKeyStatus>('/keys', { jwk: publicHalf(key), ...end });
    if (announced.state === 'ANNOUNCED') {
      const proof = await signCompact('key-proof+jwt', { challenge: announced.challenge }, key);
      const call = { method: 'POST', path: `${keyPath(key.kid)}/proofs`, body: proof, contentType: 'application/jose' } as const;
      await this.gateway.send(call);
    }
    return await this.activate(key.kid, patienceMs);
  }

  /** How far a key has come. 404 `key.unknown`. */
  async status(kid: string): Promise<BankKeyStatus> {
    return await this.get(keyPath(kid));
  }

  /** Nothing more is accepted under it; what was stays. Throws `ProblemError` 409 `key.last` for the last usable one. */
  async retire(kid: string): Promise<BankKeyStatus> {
    return await this.post(`/keys/${encodeURIComponent(kid)}/retirement`, {});
  }

  /** It may be in wrong hands: within ten seconds nothing is accepted under it. Sign this call with another key. */
  async compromised(kid: string, suspectedSince?: Date): Promise<BankKeyStatus> {
    const since = suspectedSince === undefined ? {} : { suspectedSince: suspectedSince.toISOString() };
    return await this.post(`/keys/${encodeURIComponent(kid)}/compromise`, since);
  }

  /** What came under a compromised key since it is suspected: correct or withdraw what was not yours. */
  suspectRecords(kid: string): AsyncGenerator<SuspectRecord> {
    return rowsOf((after) => this.get(pagePath(`${keyPath(kid)}/suspect-records`, {}, after)), 'records');
  }

  /** Asks for the next certificate over the connection of now; both stay good. The same CSR is the same request. */
  async renewCertificate(csr: string): Promise<CertificateRequest> {
    return await this.post('/certificates', { csr });
  }

  /** What became of a request: once issued, with the certificate (PEM); refused, with the code. 404 `enrolment.unknown`. */
  async certificateRequest(id: string): Promise<CertificateRequest> {
    return await this.get(`${path}/certificates/${encodeURIComponent(id)}`);
  }

  /**
   * Shows the gateway that we verify the keys it announced: from then on it signs with them for us, and nobody is surprised when it switches. Answers
   * their kids. Call it when `gateway_key.announced` is heard, where your keys are read anew from `BankClient.keys`.
   */
  async proveGatewayKeys(): Promise<string[]> {
    const { gatewayKeys } = await this.get<{ gatewayKeys: { kid: string; state: string }[] }>(path);
    const announced = gatewayKeys.filter(({ state }) => state === 'ANNOUNCED').map(({ kid }) => kid);
    if (announced.length === 0) return [];
    const published = (await this.gateway.fetchKeys()).map((jwk) => parsePublicJwk(jwk));
    for (const kid of announced) {
      const check = `${path}/gateway-keys/${encodeURIComponent(kid)}/check`;
      const asked = await this.get<{ check: string; tokens: string[] }>(check);
      const key = published.find((one) => one.kid === kid);
      const good = await Promise.all(asked.tokens.map((token) => this.isGood(token, key && { ...key, state: 'ACTIVE' })));
      await this.post(check.slice(path.length), { check: asked.check, valid: good.flatMap((is, i) => (is ? [i] : [])) });
    }
    return announced;
  }

  private async isGood(token: string, key: VerificationKey | undefined): Promise<boolean> {
    try {
      const { value } = await verifyJws(new TextEncoder().encode(token), 'key-check+jwt', () => key);
      return value.payload['iss'] === this.origin;
    } catch {
      return false;
    }
  }

  private async activate(kid: string, patienceMs: number): Promise<BankKeyStatus> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.post(`/keys/${encodeURIComponent(kid)}/activation`, {});
      } catch (error) {
        const isSoon = error instanceof ProblemError && error.code === 'key.not_ready';
        if (!isSoon || performance.now() + waitMs > untilMs) throw error;
        await delay(waitMs);
      }
    }
  }

  private async get<T>(at: string): Promise<T> {
    return (await this.gateway.send({ method: 'GET', path: at })).json() as T;
  }

  private async post<T>(below: string, body: object): Promise<T> {
    const call = { method: 'POST' as const, path: path + below, body: JSON.stringify(body), contentType: 'application/json' };
    return (await this.gateway.send(call)).json() as T;
  }
}

export interface IntroduceOptions {
  /** When the key ends by itself; its end is announced 30, 14, 7 and 1 days ahead. */
  readonly notAfter?: Date;
  readonly patienceMs?: number;
}

const keyPath = (kid: string): string => `${path}/keys/${encodeURIComponent(kid)}`;

function publicHalf({ kid, alg, privateKey }: SigningKey): object {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg };
}
