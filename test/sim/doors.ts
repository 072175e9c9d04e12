import type { DecisionAnswer } from '#contract';
import { readDecisionRequest } from '#decisions';
import type { liveDecider } from '#decisions/testing/live-decider';
import { parseId, parseMoney, Refusal } from '#kernel';

export interface Ask {
  readonly subject: string;
  readonly service: string;
  /** Decimal text, as on the wire. */
  readonly amount: string;
  readonly holdSeconds: number;
}

export type StepKind = 'confirm' | 'release' | 'refund';

/** One way into the ledger: another process, or another decider in this one. Rejects with `Final` for a no that waiting does not change. */
export interface Door {
  decide(ask: Ask, key: string): Promise<DecisionAnswer>;
  settle(kind: StepKind, reservation: string, amount: string | undefined, key: string): Promise<void>;
}

export const CALLER = 'sim-service';
export const CURRENCY = 'CNY';

export class Final extends Error {
  override readonly name = 'Final';
  constructor(readonly code: string) {
    super(code);
  }
}

const attemptMsMax = 10_000;
const FINAL_STATUS = new Set([400, 401, 403, 404, 409, 422]);

export function httpDoor(port: number, token: () => Promise<string>): Door {
  const post = async (path: string, body: object, key: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(attemptMsMax),
    });
    const answer = (await response.json()) as { code: string };
    if (response.status === 200) return answer;
    throw FINAL_STATUS.has(response.status) && answer.code !== 'idempotency.in_flight' ? new Final(answer.code) : new Error(answer.code);
  };
  return {
    decide: async ({ amount, ...ask }, key) =>
      (await post('/v1/decisions', { ...ask, amount: { amount, currency: CURRENCY }, mode: 'RESERVE' }, key)) as DecisionAnswer,
    settle: async (kind, reservation, amount, key) => {
      const body = amount === undefined ? {} : { amount: { amount, currency: CURRENCY } };
      await post(`/v1/reservations/${reservation}/${kind}`, body, key);
    },
  };
}

export function innerDoor({ decider, settler }: Pick<Awaited<ReturnType<typeof liveDecider>>, 'decider' | 'settler'>): Door {
  return {
    decide: ({ amount, ...ask }, key) =>
      orFinal(async () => {
        const request = readDecisionRequest({ ...ask, amount: { amount, currency: CURRENCY }, mode: 'RESERVE' });
        return (await decider.decide({ caller: CALLER, key, request })).answer;
      }),
    settle: (kind, reservation, amount, key) =>
      orFinal(async () => {
        const money = amount === undefined ? undefined : parseMoney({ amount, currency: CURRENCY }, '/amount');
        await settler.settle({ caller: CALLER, reservation: parseId('rsv', reservation), settlement: { kind, money }, key });
      }),
  };
}

async function orFinal<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const passing = !(error instanceof Refusal) || error.kind === 'unavailable' || error.code === 'idempotency.in_flight';
    throw passing ? error : new Final(error.code);
  }
}
