import { canonicalize } from '#evidence';
import type { StaffOrder } from './staff-order.js';

/** An order in one form: for comparing and keeping. Amounts are decimal text, because JSON has no exact large number. */
export function orderText(order: StaffOrder): string {
  return canonicalize(JSON.parse(JSON.stringify(order, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))));
}

/** Reads what `orderText` wrote. */
export function readOrderText(content: unknown): StaffOrder {
  const order = content as StaffOrder;
  const { action } = order;
  if (action.kind !== 'IMPOSE' || action.sanction.limitMinor === undefined) return order;
  return { ...order, action: { ...action, sanction: { ...action.sanction, limitMinor: BigInt(action.sanction.limitMinor) } } };
}
