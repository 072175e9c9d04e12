import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { type ContentDigest, createHttpSigner, type HttpSigner, type JsonWebKey, signRequest } from '#evidence';
import { AnswerVerifier } from './answer-verifier.js';
import { digestOf, type GatewayBody, openBody } from './gateway-body.js';
import { ProblemError } from './problem-error.js';
import type { SigningKey } from './record-signer.js';

export interface GatewayClientOptions {
  /** Scheme, host and port of the gateway, such as `https://localhost:7443`. */
  readonly origin: string;
  /** PEM: the CA of the gateway's server certificate, and our client certificate and key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Signs requests. Its public half is registered with the gateway under this kid. */
  readonly signingKey: SigningKey;
  /** The gateway's public keys. Without them they are fetched from `/.well-known/jwks.json`, over TLS under `ca`. */
  readonly gatewayKeys?: readonly JsonWebKey[];
}

export interface GatewayCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/` on, with the query. */
  readonly path: string;
  readonly body?: GatewayBody;
  readonly contentType?: string;
}

/** A verified answer with a status below 400. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  json(): unknown;
}

const attemptsMax = 4;
const firstRetryMs = 200;
const nonceBytes = 16;

/**
 * Speaks mTLS with the gateway, signs every request that changes something (RFC 9421) and believes no answer whose signature it has not
 * verified. A repetition sends the same bytes under a new signature: the gateway refuses no honest retry and accepts no replay.
 */
export class GatewayClient {
  private readonly agent: Agent;
  private readonly signer: HttpSigner;
  private readonly verifier: AnswerVerifier;
  /** How far the gateway's clock is ahead of ours, as it told us in a verified refusal. */
  private clockAheadMs = 0;

  constructor(private readonly options: GatewayClientOptions) {
    this.agent = new Agent({ connect: { ca: options.ca, cert: options.cert, key: options.key }, keepAliveTimeout: 5_000 });
    this.signer = createHttpSigner(options.signingKey);
    this.verifier = new AnswerVerifier(() => Promise.resolve(options.gatewayKeys ?? this.fetchKeys()));
  }

  /**
   * One call, repeated while it may help. Throws `ProblemError` with the gateway's stable code where it is refused, `UnverifiedAnswerError`
   * where what came back cannot be believed, or the connection's own error.
   */
  async send(call: GatewayCall): Promise<GatewayAnswer> {
    const digest = await digestOf(call.body ?? '');
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(call, digest).catch((failure: Error) => failure);
      if (!(answer instanceof Error)) return answer;
      if (attempt === attemptsMax || !(this.hasSetClock(answer) || mayPass(answer))) throw answer;
      await new Promise((resolve) => setTimeout(resolve, firstRetryMs * 2 ** (attempt - 1)));
    }
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  private async once({ method, path, body, contentType }: GatewayCall, digest: ContentDigest): Promise<GatewayAnswer> {
    const sent = { method, targetUri: this.options.origin + path, headers: {} };
    const headers = {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(method === 'GET' ? {} : signRequest(sent, digest, this.signer, { at: this.now(), nonce: newNonce() })),
    };
    const content = body === undefined ? {} : { body: openBody(body) };
    const answer = await request(sent.targetUri, { method, dispatcher: this.agent, headers, ...content });
    const bytes = new Uint8Array(await answer.body.arrayBuffer());
    await this.verifier.verify({ status: answer.statusCode, headers: answer.headers, request: { ...sent, headers } }, bytes);
    const json = () => JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    if (answer.statusCode >= 400) throw new ProblemError(answer.statusCode, json());
    return { status: answer.statusCode, headers: answer.headers, body: bytes, json };
  }

  /** The gateway's published keys. Anyone may ask; TLS under `ca` is what vouches for them. */
  async fetchKeys(): Promise<readonly JsonWebKey[]> {
    const answer = await request(`${this.options.origin}/.well-known/jwks.json`, { dispatcher: this.agent });
    const body = (await answer.body.json()) as { keys: readonly JsonWebKey[] };
    if (answer.statusCode !== 200) throw new ProblemError(answer.statusCode, body);
    return body.keys;
  }

  private now(): Date {
    return new Date(Date.now() + this.clockAheadMs);
  }

  /** True where the gateway found our signature too old or too new, and we know its time now. */
  private hasSetClock(failure: Error): boolean {
    if (!(failure instanceof ProblemError && failure.code === 'signature.expired')) return false;
    const { serverTime } = failure.problem as { serverTime?: string };
    this.clockAheadMs = Date.parse(serverTime ?? '') - Date.now();
    return Number.isFinite(this.clockAheadMs);
  }
}

function newNonce(): string {
  return randomBytes(nonceBytes).toString('base64url');
}

/** A broken connection, "slow down", "not now", and whatever a proxy says for a gateway that is away; every other refusal is an answer. */
function mayPass(failure: Error): boolean {
  if (failure instanceof ProblemError) return failure.status === 429 || failure.status === 503;
  return !('status' in failure) || Number(failure.status) >= 500;
}
