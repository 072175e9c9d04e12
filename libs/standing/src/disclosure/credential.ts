import { RATING_DIGESTS, RATING_TYP, RATING_VCT } from '#contract';
import { concatBytes, concealClaims, decodeBase64Url, joinSdJwt, type JsonObject, type JsonValue, utf8 } from '#evidence';
import { formatId, invariant } from '#kernel';
import { scoreMax, scoreMin } from '#scoring';
import type { Notary } from '../notary.js';
import { listPlace, listUri } from './list-place.js';
import type { Disclosure } from './store.js';

const saltBytes = 16;

/**
 * The credential of a disclosure (RFC 9901; draft-ietf-oauth-sd-jwt-vc): the claims that were allowed, bound to the recipient's key, named by the
 * link alone. Made from what is kept and nothing else, so the same disclosure gives the same credential again, under the same key byte for byte.
 */
export function ratingCredential(disclosure: Disclosure, secret: string, notary: Notary): string {
  const { content, holderKey, link, at, keepUntil, factSeq, seed, participant } = disclosure;
  invariant('claims' in content && holderKey, 'only claims are given as a credential');
  const { list, index } = listPlace(factSeq, secret, notary);
  const open: JsonObject = {
    iss: notary.issuer,
    vct: RATING_VCT,
    sub: formatId('lnk', link),
    iat: seconds(at),
    exp: seconds(keepUntil),
    cnf: { jwk: holderKey },
    status: { status_list: { idx: index, uri: listUri(notary.issuer, link.shard, list) } },
    scale: { min: scoreMin, max: scoreMax },
  };
  const claims = Object.entries(content.claims as Record<string, JsonValue>);
  const { payload, disclosures } = concealClaims({ open, claims, digests: RATING_DIGESTS, saltFor: saltsOf(seed, notary) });
  return joinSdJwt(notary.sign(RATING_TYP, payload, participant), disclosures);
}

/** Nobody without the seed can guess a salt, and none tells of another. */
function saltsOf(seed: string, notary: Notary): (name: string) => Uint8Array {
  const secret = decodeBase64Url(seed, 'seed');
  return (name) => notary.sha256(concatBytes([secret, utf8.encode(name)])).subarray(0, saltBytes);
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1_000);
