import { Refusal } from '#kernel';

/** What this room will not do about allowances, each with its code. */

export const allowanceUnknown = () => new Refusal('not_found', 'allowance.unknown', 'there is no such allowance of yours');

export const allowanceTooLong = (secondsMax: number) =>
  new Refusal('unprocessable', 'allowance.too_long', 'an allowance is short-lived: ask for fewer seconds and renew it', {
    field: '/seconds',
    limit: `secondsMax=${secondsMax}`,
  });

export const allowanceTooFine = () =>
  new Refusal('unprocessable', 'allowance.too_fine', 'every part is one minor unit at least: ask for fewer parts or a larger amount', {
    field: '/spends',
  });

export const allowanceOvertaken = () =>
  new Refusal(
    'conflict',
    'allowance.overtaken',
    'policy, standing or day changed while it was issued; nothing is held; ask with a new key',
  );

/** Why a reported part is not covered. These stand in results, not in problems. */
export const NOT_COVERED = {
  above: 'allowance.exceeded',
  outside: 'allowance.outside_time',
  differs: 'allowance.spend_differs',
  taken: 'payment_reference.taken',
} as const;
