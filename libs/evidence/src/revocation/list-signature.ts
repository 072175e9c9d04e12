import { constants, type KeyObject, verify } from 'node:crypto';
import { childrenOf, contentOf, DER, type Der, hexOf } from './der.js';

type Check = (signed: Uint8Array, key: KeyObject, signature: Uint8Array) => boolean;

const digested =
  (digest: string, type: string): Check =>
  (signed, key, signature) =>
    key.asymmetricKeyType === type && verify(digest, signed, key, signature);

/** Contents of object identifiers, hexadecimal (RFC 5758, RFC 4055, RFC 8410). */
const CHECKS: Readonly<Record<string, Check>> = {
  '2a8648ce3d040302': digested('sha256', 'ec'),
  '2a8648ce3d040303': digested('sha384', 'ec'),
  '2a8648ce3d040304': digested('sha512', 'ec'),
  '2a864886f70d01010b': digested('sha256', 'rsa'),
  '2a864886f70d01010c': digested('sha384', 'rsa'),
  '2a864886f70d01010d': digested('sha512', 'rsa'),
  '2b6570': (signed, key, signature) => key.asymmetricKeyType === 'ed25519' && verify(null, signed, key, signature),
};
const RSA_PSS = '2a864886f70d01010a';
const PSS_DIGESTS: Readonly<Record<string, string>> = {
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};

/** The check that an AlgorithmIdentifier asks for; undefined where it is none of ours. Refuses 400 `der.malformed`. */
export function findCheck(algorithm: Der): Check | undefined {
  const [oid, parameters] = childrenOf(algorithm);
  const name = hexOf(contentOf(oid, DER.oid));
  return name === RSA_PSS ? pssCheck(parameters) : CHECKS[name];
}

/** RFC 4055 §3.1: hash in [0], the mask's in [1] (it must be the same), the salt's length in [2]; the defaults are SHA-1 and not ours. */
function pssCheck(parameters: Der | undefined): Check | undefined {
  const byTag = new Map(childrenOf(parameters).map((member) => [member.tag & 0x1f, member]));
  const inside = (n: number) => byTag.get(n) && childrenOf(byTag.get(n), 0xa0 | n)[0];
  const [hash, mask, salt] = [inside(0), inside(1), inside(2)];
  const digestOf = (identifier: Der | undefined) => identifier && PSS_DIGESTS[hexOf(contentOf(childrenOf(identifier)[0], DER.oid))];
  const digest = digestOf(hash);
  if (digest === undefined || !mask || !salt || digestOf(childrenOf(mask)[1]) !== digest) return undefined;
  const saltLength = Number(`0x${hexOf(contentOf(salt, DER.integer))}`);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return (signed, key, signature) =>
    ['rsa', 'rsa-pss'].includes(key.asymmetricKeyType!) && verify(digest, signed, { key, padding, saltLength }, signature);
}
