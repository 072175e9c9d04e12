import { type LinkedAnswer, parseIdempotencyKey, parseLinkedRequest } from '#contract';
import { decisionUnknown, type LinkedDecided, type LinkedDecider, readDecisionRequest } from '#decisions';
import { parseId, Refusal } from '#kernel';
import type { ServiceCaller } from './auth/caller.js';

/** Linked batches, as HTTP and gRPC both ask for them. */
export class LinkedDoor {
  constructor(private readonly decider: LinkedDecider) {}

  /** Refuses 400 `decision.malformed` and `idempotency.key_malformed`, and what `LinkedDecider` refuses. */
  async decide(caller: ServiceCaller, body: unknown, key: string | undefined): Promise<LinkedDecided> {
    const { subject, items } = parseLinkedRequest(body);
    return await this.decider.decide({
      subject: parseId('sub', subject),
      caller: caller.name,
      key: parseIdempotencyKey(key),
      requests: items.map((item, i) => inItem(i, () => readDecisionRequest({ ...item, subject, mode: 'RESERVE' }))),
    });
  }

  /** What became of a group after a timeout. Refuses 400 `idempotency.key_malformed`, 404 `decision.unknown`. */
  async find(caller: ServiceCaller, subject: string, key: string): Promise<LinkedAnswer> {
    const answer = await this.decider.find({ subject: parseId('sub', subject), caller: caller.name, key: parseIdempotencyKey(key) });
    if (!answer) throw decisionUnknown();
    return answer;
  }
}

/** Says which item an amount or id belongs to that cannot be read. */
function inItem<T>(item: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal) || error.hints.field === undefined) throw error;
    throw new Refusal(error.kind, error.code, error.detail, { ...error.hints, field: `/items/${item}${error.hints.field}` });
  }
}
