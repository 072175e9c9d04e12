import { Refusal, type Verified } from '#kernel';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { decodeBase64Url } from '../jose/base64url.js';
import type { JsonObject } from '../jose/strict-json.js';
import { markVerified } from '../jose/verified.js';
import type { RangeProof } from '../merkle/prove.js';
import { hashBytes, leafHash } from '../merkle/tree-hash.js';
import { RangeVerifier, verifyInclusion } from '../merkle/verify.js';

/** `typ` of the one signature over all lines of a sealed batch (CONTRACT.md §3). */
export const MANIFEST_TYPE = 'record-batch+jwt';

/** What an issuer signs of a sealed batch: how many lines, and the RFC 6962 root over them, each line without its end being one leaf. */
export interface SealedManifest {
  readonly iss: string;
  readonly jti: string;
  readonly iat: number;
  readonly count: number;
  readonly root: Uint8Array;
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CLAIMS = ['count', 'iat', 'iss', 'jti', 'root'];

/** Reads the claims of a manifest. Refuses 400 `batch.manifest_malformed`; a claim it does not know is refused, too. */
export function readManifest(claims: JsonObject): SealedManifest {
  const { iss, jti, iat, count, root } = claims;
  const hash = typeof root === 'string' ? rootOf(root) : undefined;
  if (typeof iss !== 'string') throw malformed('iss is the participant that sends the batch');
  if (typeof jti !== 'string' || !UUID_V7.test(jti)) throw malformed('jti is a UUIDv7 in lower case (RFC 9562)');
  if (!isCount(iat)) throw malformed('iat is the time of signing, in seconds');
  if (!isCount(count)) throw malformed('count is the number of lines, at least 1');
  if (!hash) throw malformed('root is the RFC 6962 root over the lines, 32 bytes as base64url');
  const unknown = Object.keys(claims).find((name) => !CLAIMS.includes(name));
  if (unknown !== undefined) throw malformed(`${unknown} is no claim of a manifest`);
  return { iss, jti, iat, count, root: hash };
}

/**
 * Verifies consecutive lines of a sealed batch against the signed root. `first` counts lines from 0; `proof` is what stands outside them.
 * Refuses `proof.malformed` and `proof.mismatch`.
 */
export async function verifySealedLines(
  crypto: CryptoPort,
  { value: { count, root } }: Verified<SealedManifest>,
  first: number,
  lines: readonly Uint8Array[],
  proof: RangeProof,
): Promise<Verified<Uint8Array>[]> {
  const range = { start: BigInt(first), end: BigInt(first + lines.length), size: BigInt(count) };
  const verifier = await RangeVerifier.start(crypto, range, proof);
  for (const line of lines) await verifier.append(await leafHash(crypto, line));
  await verifier.finish(root);
  return lines.map((line) => markVerified(line, line));
}

/** The same for one line and its audit path: how a line is proved alone, years later. */
export async function verifySealedLine(
  crypto: CryptoPort,
  { value: { count, root } }: Verified<SealedManifest>,
  index: number,
  line: Uint8Array,
  path: readonly Uint8Array[],
): Promise<Verified<Uint8Array>> {
  await verifyInclusion(crypto, { index: BigInt(index), size: BigInt(count), leaf: await leafHash(crypto, line), root, path });
  return markVerified(line, line);
}

function rootOf(text: string): Uint8Array | undefined {
  try {
    const hash = decodeBase64Url(text, 'root');
    return hash.length === hashBytes ? hash : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

const malformed = (detail: string) => new Refusal('malformed', 'batch.manifest_malformed', detail);
