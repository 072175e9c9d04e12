import type { OpenAnswerResult, WireOpenAnswer } from '#contract';
import { openAnswersMax } from '#contract';
import { parseMoney, type WireMoney } from '#kernel';
import type { Ask, Decided, DecisionClient } from './decision-client.js';
import { DurableLog } from './durable-log.js';
import { NoAnswerError } from './no-answer-error.js';

/** How far a service may go on its own, until what it said was reported. */
export interface OpenBounds {
  /** The most that all open answers together may come to. */
  readonly amount: WireMoney;
  readonly count: number;
  /** From the first open answer on. */
  readonly seconds: number;
}

export interface OpenPostureOptions {
  /** Services that may answer on their own, and how far; every other one stays closed. */
  readonly services: Readonly<Record<string, OpenBounds>>;
  /** Where open answers are kept until they are reported. */
  readonly file: string;
  readonly nowMs?: () => number;
}

export type Postured =
  | ({ readonly open: false } & Decided)
  /** Nobody was asked: a yes of our own, within bounds, recorded and to be reported. */
  | { readonly open: true; readonly outcome: 'ALLOW'; readonly key: string; readonly at: string };

type Line = ({ readonly kind: 'answered' } & WireOpenAnswer) | { readonly kind: 'reported'; readonly key: string };

/**
 * The open posture, chosen service by service: where decision-api gives no answer, a yes within bounds of amount, count and time. Unlike an
 * allowance, nothing was reserved for it: limits may be exceeded by up to the bounds, and restrictions are not asked. It never turns a refusal into a
 * yes. Each open answer is on the disk before it is given.
 */
export class OpenPosture {
  private readonly unreported = new Map<string, WireOpenAnswer>();
  private turn: Promise<unknown> = Promise.resolve();
  private readonly nowMs: () => number;

  private constructor(
    private readonly client: Pick<DecisionClient, 'reserve' | 'reportOpenAnswers'>,
    private readonly options: OpenPostureOptions,
    private readonly log: DurableLog<Line>,
  ) {
    this.nowMs = options.nowMs ?? Date.now;
  }

  /** Refuses 409 `journal.damaged`. */
  static async open(client: Pick<DecisionClient, 'reserve' | 'reportOpenAnswers'>, options: OpenPostureOptions): Promise<OpenPosture> {
    const posture = new OpenPosture(client, options, await DurableLog.open<Line>(options.file));
    await posture.catchUp();
    return posture;
  }

  /** Rejects as `reserve` does; `NoAnswerError` only where the service is closed or its bounds are reached. */
  async reserve(ask: Ask, key: string): Promise<Postured> {
    try {
      return { open: false, ...(await this.client.reserve(ask, key)) };
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return await this.inTurn(() => this.answer(ask, key, error));
    }
  }

  /** What was said and not yet told. */
  pending(): readonly WireOpenAnswer[] {
    return [...this.unreported.values()];
  }

  /**
   * Tells decision-api. `handle` gets each answer with the decision as it should have been: confirm what was paid, release what was not; a problem or
   * DENY means that we said yes where the ledger says no. It is told again until `handle` has returned.
   */
  async report(handle: (said: WireOpenAnswer, result: OpenAnswerResult) => Promise<void>): Promise<number> {
    const pending = this.pending();
    for (let i = 0; i < pending.length; i += openAnswersMax) {
      const part = pending.slice(i, i + openAnswersMax);
      const results = await this.client.reportOpenAnswers(part);
      for (const [n, said] of part.entries()) {
        const result = results[n]!;
        if ('problem' in result && result.problem.status >= 500) continue;
        await handle(said, result);
        await this.inTurn(() => this.write({ kind: 'reported', key: said.key }));
      }
    }
    return pending.length - this.unreported.size;
  }

  /** Closes its file, after what is under way. What stands in it is there when it is opened again. */
  async close(): Promise<void> {
    await this.inTurn(() => this.log.close());
  }

  private async answer(ask: Ask, key: string, cause: NoAnswerError): Promise<Postured> {
    await this.catchUp();
    const before = this.unreported.get(key);
    if (before && JSON.stringify(before.request) !== JSON.stringify(ask)) throw cause;
    if (before) return { open: true, outcome: 'ALLOW', key, at: before.at };
    if (!this.isWithinBounds(ask)) throw cause;
    const at = new Date(this.nowMs()).toISOString();
    await this.write({ kind: 'answered', key, at, request: ask });
    return { open: true, outcome: 'ALLOW', key, at };
  }

  private isWithinBounds({ service, amount }: Ask): boolean {
    const bounds = this.options.services[service];
    if (!bounds || bounds.amount.currency !== amount.currency) return false;
    const said = this.pending().filter(({ request }) => request.service === service);
    const spent = said.reduce((sum, { request }) => sum + parseMoney(request.amount).minor, parseMoney(amount).minor);
    const firstMs = Math.min(this.nowMs(), ...said.map(({ at }) => Date.parse(at)));
    const latestMs = Math.max(firstMs, ...said.map(({ at }) => Date.parse(at)));
    const isInTime = this.nowMs() >= latestMs && this.nowMs() - firstMs < bounds.seconds * 1000;
    return isInTime && said.length < bounds.count && spent <= parseMoney(bounds.amount).minor;
  }

  private async write(line: Line): Promise<void> {
    await this.log.append(line);
    await this.catchUp();
  }

  private async catchUp(): Promise<void> {
    for (const line of await this.log.readNew()) {
      if (line.kind === 'reported') this.unreported.delete(line.key);
      else this.unreported.set(line.key, { key: line.key, at: line.at, request: line.request });
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }
}
