/** Which nonces a participant has used in signed requests: each is good once, over all processes and restarts. */
export interface NonceBook {
  /** True for the first who claims it, and only once that is durable. */
  claim(participant: string, nonce: string): Promise<boolean>;
}

/**
 * How long a nonce is remembered. A signature is accepted for 70 s by a right clock (60 s old, 10 s ahead); the rest covers clocks of ours
 * that differ or jump.
 */
export const nonceLifeSeconds = 600;
