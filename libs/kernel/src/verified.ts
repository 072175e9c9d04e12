declare const proof: unique symbol;

/**
 * A value whose bytes were checked against a signature. Rules take `Verified<T>`, and only `evidence` makes one
 * (`test/house.spec.ts` refuses the cast anywhere else), so unverified input cannot reach a rule.
 */
export interface Verified<T> {
  readonly value: T;
  /** The bytes exactly as received: what the signature covers and what is kept. */
  readonly received: Uint8Array;
  readonly [proof]: true;
}
