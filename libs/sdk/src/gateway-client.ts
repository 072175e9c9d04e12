import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { type ContentDigest, createHttpSigner, type HttpFields, type HttpSigner, type JsonWebKey, signRequest } from '#evidence';
import { Refusal } from '#kernel';
import { AnswerVerifier, UnverifiedAnswerError } from './answer-verifier.js';
import { digestOf, type GatewayBody, openBody, sizeOf } from './gateway-body.js';
import { KeptAnswer } from './kept-answer.js';
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
  /** At once; further calls wait for one: 64 where it is left out. A gateway takes 128 of a participant. */
  readonly connections?: number;
  /**
   * Where an answer of any size, such as the results of a large batch, waits until it is verified, in a file without a name: the machine's folder
   * for temporary files where it is left out, which on many machines is memory.
   */
  readonly spoolDir?: string;
}

export interface GatewayCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/` on, with the query. */
  readonly path: string;
  readonly body?: GatewayBody;
  readonly contentType?: string;
  /** Names the call: repeated with it, it is done once. */
  readonly idempotencyKey?: string | undefined;
  /** `gzip` or `zstd`, where the body is: it is sent, signed and repeated as it stands. */
  readonly contentEncoding?: string | undefined;
  /** For how long a call that may still succeed is repeated: 5 s where it is left out. */
  readonly patienceMs?: number | undefined;
  /** An answer that is longer is not taken: 64 MiB where it is left out. */
  readonly answerBytesMax?: number | undefined;
}

/** A verified answer with a status below 400. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: HttpFields;
  readonly body: Uint8Array;
  json(): unknown;
}

/** Half of what a gateway takes from one participant: two processes of a bank may run side by side. */
const connectionsDefault = 64;
const patienceMsDefault = 5_000;
const waitMsFirst = 200;
const waitMsMax = 10_000;
/** An answer begins when the gateway has taken a body whole and looked at it: minutes for the largest. */
const answerMsMax = 30 * 60_000;
const nonceBytes = 16;
const answerBytesMaxDefault = 64 * 1024 * 1024;

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
    const connect = { ca: options.ca, cert: options.cert, key: options.key };
    this.agent = new Agent({ connect, connections: options.connections ?? connectionsDefault, keepAliveTimeout: 5_000 });
    this.signer = createHttpSigner(options.signingKey);
    this.verifier = new AnswerVerifier(() => Promise.resolve(options.gatewayKeys ?? this.fetchKeys()));
  }

  /**
   * One call, repeated while it may help. Throws `ProblemError` with the gateway's stable code where it is refused, `UnverifiedAnswerError`
   * where what came back cannot be believed, or the connection's own error.
   */
  async send(call: GatewayCall): Promise<GatewayAnswer> {
    return await this.repeat(call, async (digest) => {
      const { answer, message } = await this.exchange(call, digest);
      const bytes = await readAnswer(answer, call.answerBytesMax ?? answerBytesMaxDefault);
      await this.verifier.verify(message, await digestOf(bytes));
      const json = () => JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      if (answer.statusCode >= 400) throw new ProblemError(answer.statusCode, json());
      return { status: answer.statusCode, headers: answer.headers, body: bytes, json };
    });
  }

  /** The same for an answer of any size: it waits on disk until it is verified, in constant memory. `discard` it when it is read. */
  async download(call: GatewayCall): Promise<KeptAnswer> {
    return await this.repeat(call, async (digest) => {
      const { answer, message } = await this.exchange(call, digest);
      const kept = await KeptAnswer.take(answer.body, this.options.spoolDir);
      try {
        await this.verifier.verify(message, kept.digest);
        if (answer.statusCode >= 400) throw new ProblemError(answer.statusCode, await jsonOf(kept));
        return kept;
      } catch (error) {
        await kept.discard();
        throw error;
      }
    });
  }

  /** The gateway's published keys. Anyone may ask; TLS under `ca` is what vouches for them. */
  async fetchKeys(): Promise<readonly JsonWebKey[]> {
    const answer = await request(`${this.options.origin}/.well-known/jwks.json`, { dispatcher: this.agent });
    const body = (await answer.body.json()) as { keys: readonly JsonWebKey[] };
    if (answer.statusCode !== 200) throw new ProblemError(answer.statusCode, body);
    return body.keys;
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.agent.close();
  }

  /** The digest is that of the first attempt: a body that gives other bytes later is refused, not sent as something else. */
  private async repeat<T>(call: GatewayCall, attempt: (digest: ContentDigest) => Promise<T>): Promise<T> {
    const untilMs = performance.now() + (call.patienceMs ?? patienceMsDefault);
    const digest = await digestOf(call.body ?? '');
    for (let waitMs = waitMsFirst; ; waitMs = Math.min(waitMsMax, waitMs * 2)) {
      const answer = await attempt(digest).catch((failure: Error) => failure);
      if (!(answer instanceof Error)) return answer;
      const pauseMs = Math.max(waitMs, askedWaitMs(answer));
      if (!(this.hasSetClock(answer) || mayPass(answer)) || performance.now() + pauseMs > untilMs) throw answer;
      await delay(pauseMs);
    }
  }

  private async exchange(call: GatewayCall, digest: ContentDigest) {
    const { method, path, body, contentType, idempotencyKey, contentEncoding } = call;
    const sent = { method, targetUri: this.options.origin + path, headers: {} };
    const size = body === undefined ? undefined : sizeOf(body);
    const headers = {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
      ...(size === undefined ? {} : { 'content-length': String(size) }),
      ...(method === 'GET' ? {} : signRequest(sent, digest, this.signer, { at: this.now(), nonce: newNonce() })),
    };
    const content = body === undefined ? {} : { body: openBody(body), headersTimeout: answerMsMax };
    const answer: Dispatcher.ResponseData = await request(sent.targetUri, { method, dispatcher: this.agent, headers, ...content });
    return { answer, message: { status: answer.statusCode, headers: answer.headers, request: { ...sent, headers } } };
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

/** Nobody whose answer is not verified yet may fill our memory. */
async function readAnswer({ statusCode, body }: Dispatcher.ResponseData, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new UnverifiedAnswerError(statusCode, 'answer.too_large', `the answer is longer than ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function newNonce(): string {
  return randomBytes(nonceBytes).toString('base64url');
}

async function jsonOf(kept: KeptAnswer): Promise<unknown> {
  let text = '';
  for await (const piece of kept.read()) text += piece.toString();
  return JSON.parse(text);
}

function askedWaitMs(failure: Error): number {
  return failure instanceof ProblemError ? (failure.retryAfterSeconds ?? 0) * 1_000 : 0;
}

/** A broken connection, "slow down", "not now", and whatever a proxy says for a gateway that is away; every other refusal is an answer. */
function mayPass(failure: Error): boolean {
  if (failure instanceof Refusal) return false;
  if (failure instanceof ProblemError) return failure.status === 429 || failure.status === 503;
  return !('status' in failure) || Number(failure.status) >= 500;
}
