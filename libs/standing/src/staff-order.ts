import { type Fact, formatId, Refusal, type ShardedId } from '#kernel';
import type { ImposedRestriction } from './imposed.js';
import type { Ladder, Sanction } from './ladder.js';

const DAY_MS = 86_400_000;

/** What staff may order about a subject's restrictions. */
export type StaffAction =
  | { readonly kind: 'IMPOSE'; readonly sanction: Sanction }
  | { readonly kind: 'LIFT'; readonly restriction: string }
  | { readonly kind: 'UPHOLD' | 'OVERTURN'; readonly restriction: string };

export interface StaffOrder {
  readonly action: StaffAction;
  readonly reason: { readonly code: string; readonly text: string };
  /** What shows that the order is right: SHA-256 (hex), and where it is. */
  readonly evidence: { readonly digest: string; readonly reference: string };
}

export interface OrderWish {
  readonly order: StaffOrder;
  /** Who asks. */
  readonly by: string;
  /** A key of the asker's own: the same again is answered, not done twice. */
  readonly key: string;
}

/** An order with its four eyes. */
export interface OrderRequest extends OrderWish {
  readonly id: string;
  readonly subject: ShardedId;
  readonly askedAt: Date;
  /** WAITING: for a second person. DONE: carried out. DECLINED: the second person said no. */
  readonly state: 'WAITING' | 'DONE' | 'DECLINED';
  readonly decidedBy?: string | undefined;
  readonly decidedAt?: Date | undefined;
}

/** What takes all rights away, or gives rights back before their time, needs a second person. */
function needsSecond({ action }: StaffOrder): boolean {
  return action.kind === 'LIFT' || action.kind === 'OVERTURN' || (action.kind === 'IMPOSE' && action.sanction.step === 'CLOSURE');
}

export function askOrder(subject: ShardedId, wish: OrderWish, id: string, at: Date): { request: OrderRequest; fact: Fact } {
  const state = needsSecond(wish.order) ? 'WAITING' : 'DONE';
  const request: OrderRequest = { ...wish, id, subject, askedAt: at, state };
  return { request, fact: orderFact('restriction.ordered', request, { by: wish.by }) };
}

/** Refuses 409 `restriction_order.four_eyes` for the asker's own eyes and `restriction_order.decided` where it is not waiting. */
export function decideOrder(request: OrderRequest, approve: boolean, by: string, at: Date): { request: OrderRequest; fact: Fact } {
  if (request.state !== 'WAITING') {
    throw new Refusal('conflict', 'restriction_order.decided', `this order is ${request.state} already`);
  }
  if (request.by === by) {
    throw new Refusal('conflict', 'restriction_order.four_eyes', 'another person than the one who asked decides');
  }
  const next: OrderRequest = { ...request, state: approve ? 'DONE' : 'DECLINED', decidedBy: by, decidedAt: at };
  return { request: next, fact: orderFact(approve ? 'restriction.order_approved' : 'restriction.order_declined', request, { by }) };
}

/** The restriction that an order imposes; its term counts from now. */
export function imposedByHand(
  { sanction }: Extract<StaffAction, { kind: 'IMPOSE' }>,
  { reason, evidence }: StaffOrder,
  { id, at, ladder }: { readonly id: string; readonly at: Date; readonly ladder: Ladder },
): ImposedRestriction {
  const { days, ...terms } = sanction;
  return {
    ...terms,
    id,
    reason,
    evidence,
    ladder: 'by hand',
    startsAt: at,
    told: [],
    ...(days === undefined ? {} : { endsAt: new Date(at.getTime() + days * DAY_MS) }),
    cure: { code: 'STAFF', text: 'the platform lifts it' },
    appealUntil: new Date(at.getTime() + ladder.appeal.openDays * DAY_MS),
  };
}

function orderFact(kind: string, { id, subject, order }: OrderRequest, more: Readonly<Record<string, string>>): Fact {
  const body = { order: formatId('rso', { shard: subject.shard, uuid: id }), action: order.action.kind, ...more };
  return { shard: subject.shard, kind, subject: subject.uuid, body };
}
