import type { Verified } from '#kernel';

/** The one place where something becomes Verified. Not exported from the room: call it only after a signature was checked. */
export function markVerified<T>(value: T, received: Uint8Array): Verified<T> {
  return { value, received } as unknown as Verified<T>;
}

/** Reads verified content further. `parse` may throw a Refusal; the proof and the received bytes stay with the result. */
export function mapVerified<T, U>(verified: Verified<T>, parse: (value: T) => U): Verified<U> {
  return markVerified(parse(verified.value), verified.received);
}
