import { scoreMax, scoreMin } from '#scoring';
import type { PolicyDocument } from '../document.js';
import { sanctionsOf } from '../ladder-places.js';
import { type Remark, warning } from './finding.js';

/** A cap as wide as the scale holds nothing back: EXCLUDE says the same. */
export function disputeCapsThatNeverBind({ disputes }: PolicyDocument): Remark[] {
  if (disputes?.capPoints === undefined || disputes.capPoints < scoreMax - scoreMin) return [];
  return [warning('disputes.cap_never_binds', '/disputes/capPoints', 'no score can rise by so much: this is EXCLUDE')];
}

/** Whoever disputes a violation has its cost lifted for as long as the furnisher takes: a closure, too. */
export function closuresThatDisputesSuspend({ disputes, ladder }: PolicyDocument): Remark[] {
  const closes = sanctionsOf(ladder).some(({ sanction }) => sanction.step === 'CLOSURE');
  if (disputes?.restrictions !== 'SUSPEND' || !closes) return [];
  return [
    warning('disputes.suspends_closure', '/disputes/restrictions', 'a dispute opens again, for up to 45 days, what the ladder closes'),
  ];
}

/** Saturdays and Sundays are no business days in any case. */
export function holidaysOnWeekends({ disputes }: PolicyDocument): Remark[] {
  return (disputes?.holidays ?? []).flatMap((date, i) => {
    if (new Date(date).getUTCDay() % 6 !== 0) return [];
    return [warning('disputes.holiday_on_weekend', `/disputes/holidays/${i}`, `${date} is no business day anyway`)];
  });
}
