import { Refusal } from '#kernel';

/** A nonce of a signed request, with whoever signed it. */
export interface NonceClaim {
  readonly participant: string;
  readonly nonce: string;
}

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

export function nonceReplayed(): Refusal {
  return new Refusal('unauthenticated', 'nonce.replayed', 'this nonce was used before: sign each sending anew, repetitions too', {
    field: 'nonce',
  });
}

/** The one order in which all processes write nonces, so that two who meet the same ones wait for each other and never in a ring. */
export function inWritingOrder<Claim extends NonceClaim>(claims: readonly Claim[]): Claim[] {
  return claims
    .map((claim) => ({ claim, key: keyOf(claim) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ claim }) => claim);
}

/** Those of the claims that came too late: `written` are the ones that nobody had made before, and of two the same the first counts. */
export function replayedAmong<Claim extends NonceClaim>(claims: readonly Claim[], written: readonly NonceClaim[]): Set<Claim> {
  const first = new Set(written.map(keyOf));
  return new Set(claims.filter((claim) => !first.delete(keyOf(claim))));
}

function keyOf({ participant, nonce }: NonceClaim): string {
  return `${participant} ${nonce}`;
}
