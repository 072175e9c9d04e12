import { Agent, request } from 'undici';
import { ProblemError } from './problem-error.js';

export interface BankClientOptions {
  /** Scheme, host and port of the gateway, such as `https://localhost:7443`. */
  readonly origin: string;
  /** PEM: the CA of the gateway's server certificate, and our client certificate and key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Submission {
  /** The receipt, a JWS (`record-receipt+jwt`): keep it. */
  readonly receipt: string;
  /** True when the gateway already had this record and answered with the first receipt. */
  readonly repeated: boolean;
}

export interface EventPoll {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

const attemptsMax = 4;
const firstRetryMs = 200;

/** A partner bank's side of the gateway over mTLS. Every call may be repeated safely; retries send the same bytes. */
export class BankClient {
  private readonly agent: Agent;

  constructor(private readonly options: BankClientOptions) {
    this.agent = new Agent({ connect: { ca: options.ca, cert: options.cert, key: options.key }, keepAliveTimeout: 5_000 });
  }

  /** Sends one signed record. Throws `ProblemError` with the gateway's stable code when it is refused. */
  async submitRecord(jws: string): Promise<Submission> {
    const answer = await this.call('POST', '/v1/records', jws, 'application/jose');
    return { receipt: (answer.body as { receipt: string }).receipt, repeated: answer.headers['idempotency-hit'] === 'true' };
  }

  async record(jti: string): Promise<unknown> {
    return (await this.call('GET', `/v1/records/${jti}`)).body;
  }

  /** The receipt again; once sealed, with its log index and inclusion proof. */
  async receipt(jti: string): Promise<{ receipt: string; logIndex?: string; proof?: string }> {
    return (await this.call('GET', `/v1/records/${jti}/receipt`)).body as { receipt: string; logIndex?: string; proof?: string };
  }

  /** RFC 8936: acknowledges `ack` and returns what is waiting. Ack only what you have stored. */
  async pollEvents(ack: readonly string[] = [], maxEvents = 100): Promise<EventPoll> {
    const body = JSON.stringify({ ack, maxEvents, returnImmediately: true });
    return (await this.call('POST', '/v1/events/poll', body, 'application/json')).body as EventPoll;
  }

  /** Files a camt.053 statement; answers the reconciliation that will work on it. */
  async fileStatement(xml: string): Promise<{ id: string; state: string }> {
    return (await this.call('POST', '/v1/statements', xml, 'application/xml')).body as { id: string; state: string };
  }

  async reconciliation(id: string): Promise<Record<string, unknown>> {
    return (await this.call('GET', `/v1/reconciliations/${id}`)).body as Record<string, unknown>;
  }

  async me(): Promise<Record<string, unknown>> {
    return (await this.call('GET', '/v1/participants/me')).body as Record<string, unknown>;
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  private async call(method: 'GET' | 'POST', path: string, body?: string, contentType?: string): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(method, path, body, contentType).catch((failure: Error) => failure);
      if (!(answer instanceof Error) && answer.status < 400) return answer;
      if (attempt === attemptsMax || !worthRepeating(answer)) {
        throw answer instanceof Error ? answer : new ProblemError(answer.status, answer.body);
      }
      await new Promise((resolve) => setTimeout(resolve, firstRetryMs * 2 ** (attempt - 1)));
    }
  }

  private async once(method: 'GET' | 'POST', path: string, body?: string, contentType?: string): Promise<Answer> {
    const answer = await request(this.options.origin + path, {
      method,
      dispatcher: this.agent,
      headers: contentType === undefined ? {} : { 'content-type': contentType },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  }
}

/** A broken connection, "slow down" and "not now" pass; every other refusal is an answer. */
function worthRepeating(answer: Answer | Error): boolean {
  return answer instanceof Error || answer.status === 429 || answer.status === 503;
}
