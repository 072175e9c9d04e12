import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { NoAnswerError } from './no-answer-error.js';
import { ProblemError } from './problem-error.js';
import { TokenSource, type TokenProvider } from './token-source.js';

export interface HttpOptions {
  /** Scheme, host and port of decision-api, such as `http://localhost:7080`. */
  readonly origin: string;
  readonly token: TokenProvider;
  /** A call with all its repetitions takes no longer. */
  readonly deadlineMs?: number;
  /** One attempt takes no longer. */
  readonly attemptMs?: number;
  readonly connections?: number;
  /** PEM, where the door has a certificate of its own CA or asks for ours. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object | undefined;
  /** Sent as it is written, instead of a body. */
  readonly text?: string | undefined;
  readonly key?: string | undefined;
  /** Doing it twice is like doing it once: it may be repeated after a lost answer. */
  readonly repeatable: boolean;
}

export interface HttpAnswer {
  readonly body: unknown;
  /** The first answer to this key, given again. */
  readonly repeated: boolean;
}

type Attempt =
  | { readonly kind: 'ANSWER'; readonly answer: HttpAnswer }
  | { readonly kind: 'AGAIN'; readonly cause: Error; readonly afterMs: number }
  | { readonly kind: 'FINAL'; readonly cause: Error };

const deadlineMsDefault = 10_000;
const attemptMsDefault = 3_000;
const connectionsDefault = 32;
const backoffMsFirst = 50;
const backoffMsMax = 2_000;

/** "Not now" and "slow down" did nothing. A gateway's 502 and 504 say that the answer was lost. */
const NOTHING_DONE = new Set([429, 503]);
const ANSWER_LOST = new Set([502, 504]);

/**
 * Calls over kept-alive connections. What may be repeated is repeated with the same bytes and the same key: after a broken connection, a time-out,
 * 429, 502, 503, 504 and 409 `idempotency.in_flight`, backing off with jitter, never before Retry-After, until the deadline.
 */
export class RepeatingHttp {
  private readonly agent: Agent;
  private readonly tokens: TokenSource;

  constructor(private readonly options: HttpOptions) {
    this.tokens = new TokenSource(options.token);
    const connect = options.tls ?? {};
    this.agent = new Agent({ connect, connections: options.connections ?? connectionsDefault, keepAliveTimeout: 10_000, pipelining: 1 });
  }

  /** Rejects with `ProblemError` for a refusal that stands, and with `NoAnswerError` when there was no answer in time. */
  async call(call: HttpCall, deadlineMs = this.options.deadlineMs ?? deadlineMsDefault): Promise<HttpAnswer> {
    const untilMs = performance.now() + deadlineMs;
    const bytes = bytesOf(call);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(call, bytes, untilMs);
      if (outcome.kind === 'ANSWER') return outcome.answer;
      if (outcome.kind === 'FINAL') throw outcome.cause;
      const waitMs = Math.max(outcome.afterMs, backoffMs(attempt));
      if (performance.now() + waitMs >= untilMs) throw new NoAnswerError(attempt, outcome.cause);
      await delay(waitMs);
    }
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.agent.close();
  }

  private async attempt(call: HttpCall, bytes: Buffer | undefined, untilMs: number): Promise<Attempt> {
    const token = await this.tokens.token();
    const leftMs = Math.max(1, Math.min(this.options.attemptMs ?? attemptMsDefault, untilMs - performance.now()));
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await request(this.options.origin + call.path, {
        method: call.method,
        dispatcher: this.agent,
        headers: headersOf(call, token),
        signal: AbortSignal.timeout(Math.ceil(leftMs)),
        ...(bytes === undefined ? {} : { body: bytes }),
      });
      text = await response.body.text();
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      return call.repeatable ? { kind: 'AGAIN', cause, afterMs: 0 } : { kind: 'FINAL', cause: new NoAnswerError(1, cause) };
    }
    return this.judge(call, token, response, text);
  }

  private judge(call: HttpCall, token: string, { statusCode, headers }: Dispatcher.ResponseData, text: string): Attempt {
    const body = readJson(text);
    if (statusCode < 400) return { kind: 'ANSWER', answer: { body, repeated: headers['idempotency-hit'] === 'true' } };
    const problem = new ProblemError(statusCode, body);
    const again = (afterMs: number): Attempt => ({ kind: 'AGAIN', cause: problem, afterMs });
    const afterMs = Number(headers['retry-after'] ?? 0) * 1000 || 0;
    if (problem.code === 'token.expired') {
      this.tokens.forget(token);
      return again(0);
    }
    if (problem.code === 'outcome.unknown') return call.repeatable ? again(afterMs) : { kind: 'FINAL', cause: problem };
    if (NOTHING_DONE.has(statusCode) || problem.code === 'idempotency.in_flight') return again(afterMs);
    return ANSWER_LOST.has(statusCode) && call.repeatable ? again(afterMs) : { kind: 'FINAL', cause: problem };
  }
}

function bytesOf({ body, text }: HttpCall): Buffer | undefined {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return sent === undefined ? undefined : Buffer.from(sent);
}

function headersOf({ body, text, key }: HttpCall, token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    ...(text === undefined ? {} : { 'content-type': 'text/plain' }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
}

/** A proxy's error page is no JSON; its status says enough. */
function readJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Doubling, with jitter over the upper half: services that failed together do not come back together. */
function backoffMs(attempt: number): number {
  const fullMs = Math.min(backoffMsMax, backoffMsFirst * 2 ** (attempt - 1));
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
