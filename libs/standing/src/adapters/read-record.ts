import { hash } from 'node:crypto';
import { mapVerified, MANIFEST_TYPE, nodeCrypto, readManifest, type SealedManifest, verifyJws, verifySealedLines } from '#evidence';
import { Refusal, type Verified } from '#kernel';
import type { ParticipantRegistry } from '#partners';
import { type BatchFiles, readSealedRecord, readSignedRecord, type RecordBatch, type SignedRecord, type TextLine } from '#records';
import type { ReadPage } from '../batch/accept-lines.js';

export const RECORD_TYPE = 'credit-record+jwt';

type Keys = Pick<ParticipantRegistry, 'findKey'>;

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

/** Reads one JWS as received and verifies it with the participant's own keys. Refuses what `verifyJws` and `parseCreditRecord` refuse. */
export async function readRecord(keys: Keys, participant: string, received: Uint8Array): Promise<Verified<SignedRecord>> {
  const signed = await verifyJws(received, RECORD_TYPE, (kid) => keys.findKey(participant, kid));
  return mapVerified(signed, (json) => readSignedRecord(json, sha256));
}

/** Verifies the manifest of a sealed batch. Refuses what `verifyJws` and `readManifest` refuse, and 403 `record.issuer_mismatch`. */
export async function openManifest(keys: Keys, participant: string, received: Uint8Array): Promise<Verified<SealedManifest>> {
  const signed = await verifyJws(received, MANIFEST_TYPE, (kid) => keys.findKey(participant, kid));
  return mapVerified(signed, ({ payload }) => {
    const manifest = readManifest(payload);
    if (manifest.iss === participant) return manifest;
    throw new Refusal('forbidden', 'record.issuer_mismatch', 'iss must be the participant that sends the batch', { field: '/iss' });
  });
}

/** Reads lines of a batch: each under its own signature, or all of them under the one of their manifest. */
export function pageReader(keys: Keys, files: Pick<BatchFiles, 'rangeProof'>): ReadPage {
  return async (batch, lines) => {
    if (!batch.manifest) return await Promise.all(lines.map((line) => orRefusal(() => readSigned(keys, batch.participant, line))));
    return await readSealed(await openManifest(keys, batch.participant, batch.manifest), batch, lines, files);
  };
}

async function readSigned(keys: Keys, participant: string, { bytes }: TextLine): Promise<Verified<SignedRecord>> {
  if (!bytes) throw new Refusal('too_large', 'body.too_large', 'the line is longer than a record may be');
  return await readRecord(keys, participant, unquoted(bytes));
}

/** The manifest is the first line, so the line numbered 2 is leaf 0. */
async function readSealed(
  manifest: Verified<SealedManifest>,
  batch: RecordBatch,
  lines: readonly TextLine[],
  files: Pick<BatchFiles, 'rangeProof'>,
): Promise<(Verified<SignedRecord> | Refusal)[]> {
  const first = lines[0]!.line - 2;
  const payloads = lines.map(({ bytes }) => bytes!);
  const proof = await files.rangeProof(batch.id, first, first + lines.length, manifest.value.count);
  const verified = await verifySealedLines(nodeCrypto, manifest, first, payloads, proof);
  return await Promise.all(
    verified.map((line, i) =>
      orRefusal(async () => mapVerified(line, (payload) => readSealedRecord(payload, { batch: batch.id.uuid, index: first + i }, sha256))),
    ),
  );
}

async function orRefusal<T>(read: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await read();
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
