import type {
  AllowanceAnswer,
  AllowanceSettlementAnswer,
  AllowanceStatus,
  DecisionAnswer,
  LinkedAnswer,
  OpenAnswerResult,
  ReservationAnswer,
  SimulationAnswer,
  WireAllowanceRequest,
  WireAllowanceSettlement,
  WireDecisionItem,
  WireDecisionRequest,
  WireLinkedRequest,
  WireOpenAnswer,
  WireSimulationRequest,
} from '#contract';
import type { WireMoney } from '#kernel';
import type { HeadroomAnswer, ItemProblem } from './decision-answers.js';
import { NoAnswerError } from './no-answer-error.js';
import { ProblemError } from './problem-error.js';
import { type HttpCall, type HttpOptions, RepeatingHttp } from './repeating-http.js';

export type Ask = Omit<WireDecisionRequest, 'mode'>;

export interface Decided {
  readonly answer: DecisionAnswer;
  /** The first answer to this key, given again. */
  readonly repeated: boolean;
}

export type BatchResult = { readonly answer: DecisionAnswer; readonly idempotencyHit?: boolean } | { readonly problem: ItemProblem };

/** The look-up after a time-out gets this long of its own, and no longer than the call had. */
const lookUpMsMax = 3_000;

/**
 * decision-api for a service of the house. It fails closed: whatever is not an answer rejects, with `ProblemError` (a refusal, `code` says which) or
 * `NoAnswerError`. Every call may be repeated safely, and is. Keys have 8 to 64 characters: one for each thing that may happen once.
 */
export class DecisionClient {
  private readonly http: RepeatingHttp;
  private readonly lookUpMs: number;

  constructor(options: HttpOptions) {
    this.http = new RepeatingHttp(options);
    this.lookUpMs = Math.min(lookUpMsMax, options.deadlineMs ?? lookUpMsMax);
  }

  /** "May this subject do this, now?" Takes and promises nothing. */
  async evaluate(ask: Ask): Promise<DecisionAnswer> {
    return (await this.decide({ ...ask, mode: 'EVALUATE' })).answer;
  }

  /** Decides and holds the amount. The same key and ask give the same answer, also after a crash of yours. */
  async reserve(ask: Ask, key: string): Promise<Decided> {
    return await this.decide({ ...ask, mode: 'RESERVE' }, key);
  }

  /** RESERVE needs a key. After a time-out the key is looked up before giving up. */
  async decide(request: WireDecisionRequest, key?: string): Promise<Decided> {
    try {
      const { body, repeated } = await this.http.call({ ...post('/v1/decisions', request), key });
      return { answer: body as DecisionAnswer, repeated };
    } catch (error) {
      const found = error instanceof NoAnswerError && key !== undefined ? await this.lookUp(request.subject, key) : undefined;
      if (!found) throw error;
      return { answer: found, repeated: true };
    }
  }

  /** Up to 100 decisions, each with its own key; each has its own answer or problem, in order. */
  async batch(items: readonly WireDecisionItem[]): Promise<readonly BatchResult[]> {
    return (await this.ask<{ results: readonly BatchResult[] }>(post('/v1/decisions:batch', { items }))).results;
  }

  /** Several reservations of one subject, all or none, under one key. */
  async reserveLinked(request: WireLinkedRequest, key: string): Promise<LinkedAnswer> {
    return await this.ask({ ...post('/v1/decisions:linked', request), key });
  }

  /** What would be answered, and why; nothing is held, recorded or counted. */
  async simulate(request: WireSimulationRequest): Promise<SimulationAnswer> {
    return await this.ask(post('/v1/decisions/simulations', request));
  }

  /** What became of my call? Undefined: nothing is recorded under this key (yet). */
  async findByKey(subject: string, key: string): Promise<DecisionAnswer | undefined> {
    return await orUndefined(this.ask<DecisionAnswer>(get(`/v1/decisions?${new URLSearchParams({ key, subject })}`)), 'decision.unknown');
  }

  /** A decision of ours by its id. 404 `decision.unknown`, also for another service’s. */
  async find(decisionId: string): Promise<DecisionAnswer> {
    return await this.ask(get(`/v1/decisions/${decisionId}`));
  }

  /** The decision as a signed JWS: keep it; `verifyDecisionReceipt` and `tallystick replay` need no network. */
  async receipt(decisionId: string): Promise<string> {
    return (await this.ask<{ receipt: string }>(get(`/v1/decisions/${decisionId}/receipt`))).receipt;
  }

  /** How a hold of ours stands. 404 `reservation.unknown`. */
  async reservation(reservationId: string): Promise<ReservationAnswer> {
    return await this.ask(get(`/v1/reservations/${reservationId}`));
  }

  /**
   * Takes what was reserved, or a part of it; the rest is free again. 409 `reservation.expired`, `reservation.settled`; 422
   * `reservation.above_reserved`.
   */
  async confirm(reservationId: string, amount?: WireMoney): Promise<ReservationAnswer> {
    return await this.ask(post(`/v1/reservations/${reservationId}/confirm`, amount === undefined ? {} : { amount }));
  }

  /** Gives back all that was reserved. 409 `reservation.settled` where it was confirmed. */
  async release(reservationId: string): Promise<ReservationAnswer> {
    return await this.ask(post(`/v1/reservations/${reservationId}/release`, {}));
  }

  /** Gives back what was confirmed, or a part. Two refunds of one amount may both be meant: the key tells them apart. 422 `reservation.above_confirmed`. */
  async refund(reservationId: string, key: string, amount?: WireMoney): Promise<ReservationAnswer> {
    return await this.ask({ ...post(`/v1/reservations/${reservationId}/refund`, amount === undefined ? {} : { amount }), key });
  }

  /** How much the subject could still spend, where. */
  async headroom(subject: string): Promise<HeadroomAnswer> {
    return await this.ask(get(`/v1/subjects/${subject}/headroom`));
  }

  /** Reserves an amount to be spent in parts while nobody can be asked: give `token` to an `AllowanceSpender`. Scope `allowances:issue`. */
  async issueAllowance(request: WireAllowanceRequest, key: string): Promise<AllowanceAnswer> {
    return await this.ask({ ...post('/v1/allowances', request), key });
  }

  /** What was spent of an allowance of ours, and whether its amount is still held. 404 `allowance.unknown`. */
  async allowance(allowanceId: string): Promise<AllowanceStatus> {
    return await this.ask(get(`/v1/allowances/${allowanceId}`));
  }

  /** Reports what was spent; each payment reference counts once. `close` frees the rest. `AllowanceSpender.settle` does this for its file. */
  async settleAllowance(allowanceId: string, settlement: WireAllowanceSettlement): Promise<AllowanceSettlementAnswer> {
    return await this.ask(post(`/v1/allowances/${allowanceId}/settlements`, settlement));
  }

  /** What was said yes to without asking: see `OpenPosture`. */
  async reportOpenAnswers(answers: readonly WireOpenAnswer[]): Promise<readonly OpenAnswerResult[]> {
    return (await this.ask<{ results: readonly OpenAnswerResult[] }>(post('/v1/open-answers', { answers }))).results;
  }

  /** The keys that receipts and allowances are signed with (RFC 7517). Keep them: what is signed is verified without us. */
  async keys(): Promise<{ readonly keys: readonly object[] }> {
    return await this.ask(get('/.well-known/jwks.json'));
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.http.close();
  }

  private async ask<T>(call: HttpCall): Promise<T> {
    return (await this.http.call(call)).body as T;
  }

  private async lookUp(subject: string, key: string): Promise<DecisionAnswer | undefined> {
    const path = `/v1/decisions?${new URLSearchParams({ key, subject })}`;
    return await this.http.call(get(path), this.lookUpMs).then(
      ({ body }) => body as DecisionAnswer,
      () => undefined,
    );
  }
}

function get(path: string): HttpCall {
  return { method: 'GET', path, repeatable: true };
}

/** Everything posted here is known by a key, by the state it leads to, or has no effect. */
function post(path: string, body: object): HttpCall {
  return { method: 'POST', path, body, repeatable: true };
}

async function orUndefined<T>(work: Promise<T>, code: string): Promise<T | undefined> {
  return await work.catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === code) return undefined;
    throw error;
  });
}
