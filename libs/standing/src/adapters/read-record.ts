import { hash } from 'node:crypto';
import {
  type CheckMany,
  mapVerified,
  MANIFEST_TYPE,
  nodeCrypto,
  readManifest,
  type SealedManifest,
  type SignedJson,
  thumbprint,
  type VerificationKey,
  verifyJws,
  verifyMany,
  verifySealedLines,
} from '#evidence';
import { Refusal, type Verified } from '#kernel';
import type { ParticipantRegistry } from '#partners';
import {
  type BatchFiles,
  type Provenance,
  readSealedRecord,
  readSignedRecord,
  type RecordBatch,
  type SignedRecord,
  type TextLine,
} from '#records';
import type { ReadPage } from '../batch/accept-lines.js';

const RECORD_TYPE = 'credit-record+jwt';

type Keys = Pick<ParticipantRegistry, 'findKey'>;

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

/**
 * Reads one JWS as received and verifies it with the participant's own keys; `certificate` is the fingerprint of the one it came with.
 * Refuses what `verifyJws` and `parseCreditRecord` refuse.
 */
export async function readRecord(
  keys: Keys,
  participant: string,
  received: Uint8Array,
  certificate?: string,
): Promise<Verified<SignedRecord>> {
  const { signed, key } = await verifyOwn(keys, participant, RECORD_TYPE, received);
  return mapVerified(signed, (json) => ({ ...readSignedRecord(json, sha256), provenance: provenanceOf(key, certificate) }));
}

/** A manifest, and the thumbprint of the key that signed it. */
export type OpenedManifest = SealedManifest & { readonly key: string };

/** Verifies the manifest of a sealed batch. Refuses what `verifyJws` and `readManifest` refuse, and 403 `record.issuer_mismatch`. */
export async function openManifest(keys: Keys, participant: string, received: Uint8Array): Promise<Verified<OpenedManifest>> {
  const { signed, key } = await verifyOwn(keys, participant, MANIFEST_TYPE, received);
  return mapVerified(signed, ({ payload }) => {
    const manifest = readManifest(payload);
    if (manifest.iss === participant) return { ...manifest, key };
    throw new Refusal('forbidden', 'record.issuer_mismatch', 'iss must be the participant that sends the batch', { field: '/iss' });
  });
}

/** Also answers which key it was. */
async function verifyOwn(
  keys: Keys,
  participant: string,
  typ: string,
  received: Uint8Array,
): Promise<{ signed: Verified<SignedJson>; key: string }> {
  let found: VerificationKey | undefined;
  const signed = await verifyJws(received, typ, (kid) => (found = keys.findKey(participant, kid)));
  return { signed, key: thumbprintOf(found!.jwk) };
}

/** Registered keys stay in memory, so one computation each is enough. */
const thumbprints = new WeakMap<VerificationKey['jwk'], string>();

function thumbprintOf(jwk: VerificationKey['jwk']): string {
  const known = thumbprints.get(jwk) ?? thumbprint(jwk);
  thumbprints.set(jwk, known);
  return known;
}

function provenanceOf(key: string, certificate: string | undefined): Provenance {
  return certificate === undefined ? { key } : { key, certificate };
}

/** Reads lines of a batch: each under its own signature, or all of them under the one of their manifest. */
export function pageReader(keys: Keys, files: Pick<BatchFiles, 'rangeProof'>, check: CheckMany): ReadPage {
  return async (batch, lines) => {
    if (!batch.manifest) return await readSigned(keys, batch, lines, check);
    return await readSealed(await openManifest(keys, batch.participant, batch.manifest), batch, lines, files);
  };
}

/** What `readRecord` makes of each line; signatures of the page are checked together. */
async function readSigned(
  keys: Keys,
  { participant, certificate }: RecordBatch,
  lines: readonly TextLine[],
  check: CheckMany,
): Promise<(Verified<SignedRecord> | Refusal)[]> {
  const named = new Map<string, VerificationKey | undefined>();
  const findKey = (kid: string) => {
    if (!named.has(kid)) named.set(kid, keys.findKey(participant, kid));
    return named.get(kid);
  };
  const whole = lines.flatMap(({ bytes }) => (bytes ? [unquoted(bytes)] : []));
  const verified = await verifyMany(whole, RECORD_TYPE, findKey, check);
  const read = (json: SignedJson) => {
    const key = thumbprintOf(named.get(json.header.kid)!.jwk);
    return { ...readSignedRecord(json, sha256), provenance: provenanceOf(key, certificate) };
  };
  let nth = 0;
  return lines.map(({ bytes }) => {
    if (!bytes) return new Refusal('too_large', 'body.too_large', 'the line is longer than a record may be');
    const one = verified[nth++]!;
    return one instanceof Refusal ? one : orRefusal(() => mapVerified(one, read));
  });
}

/** The manifest is the first line, so the line numbered 2 is leaf 0. */
async function readSealed(
  manifest: Verified<OpenedManifest>,
  batch: RecordBatch,
  lines: readonly TextLine[],
  files: Pick<BatchFiles, 'rangeProof'>,
): Promise<(Verified<SignedRecord> | Refusal)[]> {
  const first = lines[0]!.line - 2;
  const payloads = lines.map(({ bytes }) => bytes!);
  const proof = await files.rangeProof(batch.id, first, first + lines.length, manifest.value.count);
  const verified = await verifySealedLines(nodeCrypto, manifest, first, payloads, proof);
  const provenance = provenanceOf(manifest.value.key, batch.certificate);
  const read = (payload: Uint8Array, i: number) => ({
    ...readSealedRecord(payload, { batch: batch.id.uuid, index: first + i }, sha256),
    provenance,
  });
  return verified.map((line, i) => orRefusal(() => mapVerified(line, (payload) => read(payload, i))));
}

function orRefusal<T>(read: () => T): T | Refusal {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const QUOTE = 34;

/** A line may be the JWS itself or a JSON string of it; base64url needs no escapes. */
function unquoted(bytes: Uint8Array): Uint8Array {
  return bytes.length > 1 && bytes[0] === QUOTE && bytes.at(-1) === QUOTE ? bytes.subarray(1, -1) : bytes;
}
