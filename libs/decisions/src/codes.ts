import { Refusal } from '#kernel';

/** What this room will not do, each with its code. A "no" to a payment is an answer, not one of these. */

export const subjectUnknown = () => new Refusal('not_found', 'subject.unknown', 'there is no such subject', { field: '/subject' });

export const decisionUnknown = () => new Refusal('not_found', 'decision.unknown', 'there is no such decision of yours');

export const receiptTooLong = (bytesMax: number) =>
  new Refusal('unprocessable', 'receipt.too_long', 'this decision passed more limits than one receipt can tell', {
    limit: `jwsBytesMax=${bytesMax}`,
  });

export const reservationUnknown = () => new Refusal('not_found', 'reservation.unknown', 'there is no such reservation of yours');

export const keyMissing = () =>
  new Refusal('malformed', 'idempotency.key_missing', 'this call needs an Idempotency-Key: repeat it with the same one', {
    field: 'Idempotency-Key',
  });

export const keyReused = () =>
  new Refusal('unprocessable', 'idempotency.key_reused', 'this key was used with another input; use a new key for a new request', {
    field: 'Idempotency-Key',
  });

export const keyInFlight = () =>
  new Refusal('conflict', 'idempotency.in_flight', 'the first call with this key has no answer yet; repeat with the same key', {
    retryAfterSeconds: 1,
  });

export const referenceTaken = () =>
  new Refusal('conflict', 'payment_reference.taken', 'another reservation of this service has this payment reference', {
    field: '/paymentReference',
  });

export const linkedRefused = (failed: readonly number[]) =>
  new Refusal('conflict', 'linked.refused', `nothing of this group was reserved, because of item ${failed.join(', ')}`);

export const unsettled = () =>
  new Refusal('unavailable', 'decision.unsettled', 'policy or standing kept changing while this was decided; nothing was done', {
    retryAfterSeconds: 1,
  });

export const reservationExpired = () => new Refusal('conflict', 'reservation.expired', 'the hold ran out; ask for a new decision');

export const reservationSettled = (state: string) =>
  new Refusal('conflict', 'reservation.settled', `the reservation is ${state.toLowerCase()} already`, { extra: { state } });

export const confirmAboveReserved = (reserved: string) =>
  new Refusal('unprocessable', 'reservation.above_reserved', `no more than the reserved ${reserved} can be confirmed`, {
    field: '/amount/amount',
  });

export const refundAboveConfirmed = (left: string) =>
  new Refusal('unprocessable', 'reservation.above_confirmed', `no more than the remaining ${left} can be refunded`, {
    field: '/amount/amount',
  });

export const currencyDiffers = (currency: string) =>
  new Refusal('unprocessable', 'currency.unsupported', `the reservation is in ${currency}`, { field: '/amount/currency' });
