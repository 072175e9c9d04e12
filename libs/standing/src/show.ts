import { formatId, formatMinor, type Shard } from '#kernel';
import type { Appeal } from './appeal.js';
import type { OpenRetraction, RestrictionHistory } from './appeal-store.js';
import type { OrderRequest } from './staff-order.js';
import type { Restriction } from './standing.js';

/** How restrictions, appeals, orders and retractions are shown at every door: external ids, RFC 3339 times, decimal amounts. */

export function showRestriction(restriction: Restriction, shard: Shard) {
  const { id, step, services, limitPercent, limitMinor, currency, reason, startsAt, endsAt, cure, appealUntil, disputed } = restriction;
  return {
    id: formatId('rst', { shard, uuid: id }),
    step,
    services,
    ...(limitPercent === undefined ? {} : { limitPercent }),
    ...(limitMinor === undefined || !currency ? {} : { limitAmount: { amount: formatMinor(limitMinor, currency), currency } }),
    reason,
    startsAt: startsAt.toISOString(),
    ...(endsAt ? { endsAt: endsAt.toISOString() } : {}),
    ...(cure ? { cure } : {}),
    ...(appealUntil ? { appealUntil: appealUntil.toISOString() } : {}),
    ...(disputed ? { disputed } : {}),
  };
}

/** ENDED from the second its term is over, whether a sweep has written so or not. */
export function showHistory({ restriction, liftedAt, liftedWhy, appeal }: RestrictionHistory, shard: Shard, at: Date) {
  const ended = restriction.endsAt && restriction.endsAt <= at ? restriction.endsAt : undefined;
  const over = liftedAt ?? ended;
  return {
    ...showRestriction(restriction, shard),
    state: over ? ('OVER' as const) : ('IN_FORCE' as const),
    ...(over ? { over: { at: over.toISOString(), why: liftedWhy ?? 'ENDED' } } : {}),
    ladder: restriction.ladder,
    ...(restriction.rung ? { rung: restriction.rung } : {}),
    evidence: { digest: restriction.evidence.digest },
    ...(appeal ? { appeal: showAppeal(appeal, at) } : {}),
  };
}

export function showAppeal(appeal: Appeal, at: Date) {
  const { subject, restriction, id, grounds, openedAt, dueAt, remindedAt, state, answeredAt } = appeal;
  const { shard } = subject;
  return {
    id: formatId('apl', { shard, uuid: id }),
    subject: formatId('sub', subject),
    restriction: formatId('rst', { shard, uuid: restriction }),
    grounds,
    state,
    openedAt: openedAt.toISOString(),
    dueAt: dueAt.toISOString(),
    ...(state === 'OPEN' ? { overdue: dueAt <= at } : {}),
    ...(remindedAt ? { remindedAt: remindedAt.toISOString() } : {}),
    ...(answeredAt ? { answeredAt: answeredAt.toISOString() } : {}),
  };
}

export function showOrder({ id, subject, order, by, askedAt, state, decidedBy, decidedAt }: OrderRequest) {
  const { action, reason, evidence } = order;
  const { shard } = subject;
  return {
    id: formatId('rso', { shard, uuid: id }),
    subject: formatId('sub', subject),
    kind: action.kind,
    ...(action.kind === 'IMPOSE'
      ? { sanction: showSanction(action.sanction) }
      : { restriction: formatId('rst', { shard, uuid: action.restriction }) }),
    reason,
    evidence,
    by,
    askedAt: askedAt.toISOString(),
    state,
    ...(decidedBy && decidedAt ? { decidedBy, decidedAt: decidedAt.toISOString() } : {}),
  };
}

function showSanction({ limitMinor, currency, ...sanction }: Extract<OrderRequest['order']['action'], { kind: 'IMPOSE' }>['sanction']) {
  return {
    ...sanction,
    ...(limitMinor === undefined || !currency ? {} : { limitAmount: { amount: formatMinor(limitMinor, currency), currency } }),
  };
}

export function showRetraction(open: OpenRetraction, at: Date) {
  const { event, participant, subject, restriction, record, since, failures, failure, retryAt, deadAt } = open;
  return {
    participant,
    event,
    subject: formatId('sub', subject),
    ...(restriction === undefined ? {} : { restriction: formatId('rst', { shard: subject.shard, uuid: restriction }) }),
    ...(record === undefined ? {} : { record }),
    since: since.toISOString(),
    ageSeconds: Math.max(0, Math.floor((at.getTime() - since.getTime()) / 1_000)),
    failures,
    ...(failure ? { failure } : {}),
    ...(retryAt && retryAt > at ? { retryAt: retryAt.toISOString() } : {}),
    ...(deadAt ? { deadAt: deadAt.toISOString() } : {}),
  };
}
