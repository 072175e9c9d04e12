import { type Fact, formatId, Refusal, type ShardedId } from '#kernel';
import { BusinessCalendar } from './business-days.js';
import type { ImposedRestriction } from './imposed.js';
import type { AppealTerms } from './ladder.js';

/** OPEN until it is answered; UPHELD: the restriction stays; OVERTURNED: it is lifted, and with it all that its violation cost. */
export type AppealState = 'OPEN' | 'UPHELD' | 'OVERTURNED';

/** A subject's objection to one restriction. What the subject writes stays with the calling service; here is its digest. */
export interface Appeal {
  readonly id: string;
  readonly subject: ShardedId;
  readonly restriction: string;
  readonly caller: string;
  readonly key: string;
  readonly grounds: AppealGrounds;
  readonly openedAt: Date;
  readonly dueAt: Date;
  readonly remindAt: Date;
  readonly remindedAt?: Date | undefined;
  readonly state: AppealState;
  readonly answeredAt?: Date | undefined;
}

export interface AppealGrounds {
  readonly code: string;
  /** SHA-256 (hex) of what the subject handed in. */
  readonly evidenceDigest?: string | undefined;
}

export interface AppealWish {
  readonly caller: string;
  /** The caller's Idempotency-Key. */
  readonly key: string;
  readonly grounds: AppealGrounds;
}

/** Refuses 409 `appeal.too_late` after the time to appeal. */
export function openAppeal(
  subject: ShardedId,
  { id: restriction, appealUntil }: ImposedRestriction,
  wish: AppealWish,
  { id, at, terms }: { readonly id: string; readonly at: Date; readonly terms: AppealTerms },
): { appeal: Appeal; fact: Fact } {
  if (appealUntil === undefined || at >= appealUntil) {
    const until = appealUntil ? `could be appealed until ${appealUntil.toISOString()}` : 'cannot be appealed';
    throw new Refusal('conflict', 'appeal.too_late', `this restriction ${until}`);
  }
  const calendar = new BusinessCalendar(terms);
  const dueAt = calendar.endOfBusinessDay(at, terms.answerBusinessDays);
  const remindAt = calendar.endOfBusinessDay(at, Math.max(0, terms.answerBusinessDays - terms.remindBusinessDaysBefore));
  const appeal: Appeal = { id, subject, restriction, ...wish, openedAt: at, dueAt, remindAt, state: 'OPEN' };
  return { appeal, fact: appealFact('appeal.opened', appeal, { due: dueAt.toISOString() }) };
}

/** The same request again; another one for the same restriction is refused 409 `appeal.exists`. */
export function repeatAppeal(known: Appeal, { caller, key, grounds }: AppealWish): Appeal {
  const same = known.grounds.code === grounds.code && known.grounds.evidenceDigest === grounds.evidenceDigest;
  if (known.caller === caller && known.key === key && same) return known;
  if (known.caller === caller && known.key === key) {
    throw new Refusal('unprocessable', 'idempotency.key_reused', 'this Idempotency-Key came with another request before');
  }
  throw new Refusal('conflict', 'appeal.exists', `this restriction has its appeal; its state is ${known.state}`);
}

/** Refuses 409 `appeal.answered`. */
export function answerAppeal(appeal: Appeal, state: 'UPHELD' | 'OVERTURNED', by: string, at: Date): { appeal: Appeal; fact: Fact } {
  if (appeal.state !== 'OPEN') throw new Refusal('conflict', 'appeal.answered', `this appeal is ${appeal.state}`);
  return {
    appeal: { ...appeal, state, answeredAt: at },
    fact: appealFact(state === 'UPHELD' ? 'appeal.upheld' : 'appeal.overturned', appeal, { by }),
  };
}

/** Undefined where staff were reminded already or need not be. */
export function remindOf(appeal: Appeal, at: Date): { appeal: Appeal; fact: Fact } | undefined {
  if (appeal.state !== 'OPEN' || appeal.remindedAt || appeal.remindAt > at) return undefined;
  return {
    appeal: { ...appeal, remindedAt: at },
    fact: appealFact('appeal.reminded', appeal, { due: appeal.dueAt.toISOString() }),
  };
}

function appealFact(kind: string, { id, subject, restriction }: Appeal, more: Readonly<Record<string, string>>): Fact {
  const { shard } = subject;
  const body = { appeal: formatId('apl', { shard, uuid: id }), restriction: formatId('rst', { shard, uuid: restriction }), ...more };
  return { shard, kind, subject: subject.uuid, body };
}
