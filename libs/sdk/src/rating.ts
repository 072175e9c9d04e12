import {
  DISPUTED_CLAIM,
  parseRatingCredential,
  RATING_MEDIA_TYPE,
  RATING_TYP,
  type RatingClaim,
  type RatingCredentialClaims,
  type ThresholdAnswer,
} from '#contract';
import {
  type JsonWebKey,
  joinSdJwt,
  KEY_BINDING_TYP,
  keyBindingClaims,
  mapVerified,
  parseDisclosure,
  splitSdJwt,
  STATUS_LIST_TYP,
  statusAt,
  thumbprint,
  verifyJws,
  verifyKeyBinding,
  verifySdJwt,
} from '#evidence';
import { Refusal, type Verified } from '#kernel';
import type { GatewayAnswer } from './gateway-client.js';
import { type SigningKey, signCompact } from './record-signer.js';
import { type KeySet, keyFinder } from './verify-offline.js';

/** A credential, or the answer to the consent's threshold. */
export type RatingRead = ({ readonly credential: string } | { readonly answer: ThresholdAnswer }) & {
  /** The content of an earlier read with the same key: it was not counted again. */
  readonly repeated: boolean;
};

/** What is left out is as the consent has it. */
export interface RatingWish {
  readonly claims?: readonly RatingClaim[];
  readonly purpose?: string;
  readonly dataLifeSeconds?: number;
  /** Names this read: repeated with it, a read is not counted again and tells the same. A new one where it is left out. */
  readonly idempotencyKey?: string;
}

/** By what a credential is judged. */
export interface RatingExpectation {
  /** The gateway's `/.well-known/jwks.json`, as kept. */
  readonly keys: KeySet;
  /** The gateway's origin. */
  readonly issuer: string;
  /**
   * Whose it must be: ours, by our public key; or somebody's who presents it to us, by a key binding for the nonce we gave. A credential alone says
   * nothing of who shows it.
   */
  readonly holder: { readonly ownKey: JsonWebKey } | { readonly audience: string; readonly nonce: string };
  /** The status list that the credential names (`application/statuslist+jwt`). Without it nothing is known of a revocation. */
  readonly statusList?: string;
  readonly at?: Date;
}

/** Where a rating is read. */
export function ratingPath(ref: string, consent: string, { claims, purpose, dataLifeSeconds }: RatingWish): string {
  const query = new URLSearchParams({ consent });
  if (claims) query.set('claims', claims.join(','));
  if (purpose !== undefined) query.set('purpose', purpose);
  if (dataLifeSeconds !== undefined) query.set('dataLifeSeconds', String(dataLifeSeconds));
  return `/v1/subjects/${encodeURIComponent(ref)}/rating?${query.toString()}`;
}

export function readRating({ headers, body, json }: Pick<GatewayAnswer, 'headers' | 'body' | 'json'>): RatingRead {
  const repeated = headers['idempotency-hit'] === 'true';
  const isCredential = String(headers['content-type']).startsWith(RATING_MEDIA_TYPE);
  return isCredential ? { credential: new TextDecoder().decode(body), repeated } : { ...(json() as { answer: ThresholdAnswer }), repeated };
}

const utf8 = new TextEncoder();
const clockSkewMs = 60_000;
const keyBindingMsMax = 300_000;

/**
 * Verifies a rating with no network: signature, disclosures, whose it is, its life and, with the list, its status. Refuses `signature.*`, 400
 * `rating.malformed`, `status_list.malformed`, 401 `key_binding.*`, 403 `rating.foreign`, 412 `rating.expired`, `rating.revoked`, `rating.suspended`.
 */
export async function verifyRating(credential: string, expected: RatingExpectation): Promise<Verified<RatingCredentialClaims>> {
  const { at = new Date() } = expected;
  const verified = await verifySdJwt(credential.trim(), RATING_TYP, keyFinder(expected.keys));
  const rating = mapVerified(verified, ({ claims }) => parseRatingCredential(claims));
  const { iss, iat, exp, cnf } = rating.value;
  if (iss !== expected.issuer) throw new Refusal('forbidden', 'rating.foreign', `this rating was issued by ${iss}`);
  if (exp * 1_000 <= at.getTime()) throw new Refusal('precondition', 'rating.expired', 'this rating may no longer be held or used');
  if (iat * 1_000 > at.getTime() + clockSkewMs) throw new Refusal('precondition', 'rating.expired', 'this rating is from the future');
  if ('ownKey' in expected.holder) checkOwn(cnf.jwk as JsonWebKey, expected.holder.ownKey);
  else checkFresh(await verifyKeyBinding(verified.value.sdJwt, cnf.jwk as JsonWebKey, expected.holder), at);
  if (expected.statusList !== undefined) await checkStatus(rating.value, expected.statusList, expected.keys, at);
  return rating;
}

/** Shows a rating to somebody else: only the named claims, whether it is disputed, and that we hold the key it is bound to. */
export async function presentRating(
  credential: string,
  { claims, ...binding }: { readonly claims: readonly RatingClaim[]; readonly audience: string; readonly nonce: string },
  key: SigningKey,
  at = new Date(),
): Promise<string> {
  const { jwt, disclosures } = splitSdJwt(credential.trim());
  const shown: readonly string[] = [...claims, DISPUTED_CLAIM];
  const unbound = joinSdJwt(
    jwt,
    disclosures.filter((text) => shown.includes(parseDisclosure(text).name ?? '')),
  );
  return unbound + (await signCompact(KEY_BINDING_TYP, keyBindingClaims(unbound, binding, at), key));
}

function checkOwn(bound: JsonWebKey, own: JsonWebKey): void {
  if (thumbprint(bound) === thumbprint(own)) return;
  throw new Refusal('forbidden', 'rating.foreign', 'this rating is bound to another key than ours');
}

function checkFresh(signedAt: Date, at: Date): void {
  if (Math.abs(at.getTime() - signedAt.getTime()) <= keyBindingMsMax) return;
  throw new Refusal('unauthenticated', 'key_binding.invalid', 'the key binding was not made just now');
}

async function checkStatus({ status }: RatingCredentialClaims, list: string, keys: KeySet, at: Date): Promise<void> {
  const { idx, uri } = status.status_list;
  const { payload } = (await verifyJws(utf8.encode(list.trim()), STATUS_LIST_TYP, keyFinder(keys))).value;
  const { sub, exp } = payload;
  if (sub !== uri || typeof exp !== 'number' || exp * 1_000 <= at.getTime()) {
    throw new Refusal('malformed', 'status_list.malformed', 'this is not the status list that the rating names, or it is too old');
  }
  const found = statusAt(payload['status_list'], idx);
  if (found === 'INVALID')
    throw new Refusal('precondition', 'rating.revoked', 'the consent was revoked, or what was told turned out to be wrong');
  if (found === 'SUSPENDED') throw new Refusal('precondition', 'rating.suspended', 'the consent is paused, or a record is disputed');
}
