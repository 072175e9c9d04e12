import type { X509Certificate } from 'node:crypto';
import { Refusal } from '#kernel';
import { sameBytes } from '../bytes.js';
import { childrenOf, contentOf, DER, type Der, derContext0, hexOf, readDer, timeOf } from './der.js';
import { findCheck } from './list-signature.js';

/** What an authority says it has revoked (RFC 5280 §5). Believed only where `isSignedBy` says so. */
export interface RevocationList {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serials in lower-case hexadecimal without leading zeros. */
  readonly serials: ReadonlySet<string>;
  isSignedBy(authority: X509Certificate): boolean;
}

/**
 * Reads a CRL of version 2, DER. Refuses 400 `crl.malformed`, and 422 `crl.unsupported` for what would change its meaning and is not understood: a
 * critical extension (a delta, a list for some certificates only), an algorithm that is not ours, no date for the next one.
 */
export function parseRevocationList(bytes: Uint8Array): RevocationList {
  try {
    return readList(bytes);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'der.malformed') throw error;
    throw new Refusal('malformed', 'crl.malformed', `not a certificate revocation list: ${error.detail}`);
  }
}

function readList(bytes: Uint8Array): RevocationList {
  const { tbs, algorithm, signature } = signedParts(bytes);
  const fields = childrenOf(tbs);
  // The version stands first where there is one; without it there are no extensions either.
  if (fields[0]?.tag === DER.integer && hexOf(fields.shift()!.content) !== '01') throw unsupported('a version that is not 2');
  const [inner, issuer, thisUpdate, ...rest] = fields;
  if (!inner || !sameBytes(inner.whole, algorithm.whole)) throw unsupported('two algorithms');
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  if (!nextUpdate) throw unsupported('no date for the next one');
  const entries = rest[0]?.tag === DER.sequence ? childrenOf(rest.shift()) : [];
  for (const wrapped of rest) refuseCritical(childrenOf(childrenOf(wrapped, derContext0)[0]));
  const check = findCheck(algorithm);
  if (!check) throw unsupported('an algorithm of its signature that is not ours');
  const [bits, name] = [contentOf(signature, DER.bitString), contentOf(issuer, DER.sequence)];
  return {
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: timeOf(nextUpdate),
    serials: new Set(entries.map(serialOf)),
    isSignedBy: (authority) =>
      sameBytes(name, subjectOf(authority)) && bits[0] === 0 && check(tbs.whole, authority.publicKey, bits.subarray(1)),
  };
}

function signedParts(bytes: Uint8Array): { readonly tbs: Der; readonly algorithm: Der; readonly signature: Der | undefined } {
  const [tbs, algorithm, signature, ...more] = childrenOf(readDer(bytes));
  if (!tbs || !algorithm || more.length > 0) throw new Refusal('malformed', 'der.malformed', 'expected list, algorithm, signature');
  return { tbs, algorithm, signature };
}

function isTime(field: Der | undefined): boolean {
  return field?.tag === DER.utcTime || field?.tag === DER.time;
}

function serialOf(entry: Der): string {
  const [serial, , extensions] = childrenOf(entry);
  if (extensions) refuseCritical(childrenOf(extensions));
  return hexOf(contentOf(serial, DER.integer)).replace(/^0+(?=.)/, '');
}

function refuseCritical(extensions: readonly Der[]): void {
  for (const extension of extensions) {
    const [oid, critical] = childrenOf(extension);
    if (critical?.tag === DER.boolean && critical.content[0] !== 0)
      throw unsupported(`the critical extension ${hexOf(contentOf(oid, DER.oid))}`);
  }
}

/** The name of an authority as it stands in its certificate: version and serial, algorithm, issuer, validity, then it. */
function subjectOf({ raw }: X509Certificate): Uint8Array {
  const fields = childrenOf(childrenOf(readDer(raw))[0]);
  const at = fields[0]?.tag === derContext0 ? 5 : 4;
  return contentOf(fields[at], DER.sequence);
}

const unsupported = (what: string) => new Refusal('unprocessable', 'crl.unsupported', `this list has ${what}`);
