import { z } from 'zod';
import { parseStrictly } from '#contract';
import { decodeBase64Url } from '#evidence';

const recordIdsMax = 256;

/** 32 bytes: 43 characters, the last of which has four bits. */
const recordId = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'an id is the SHA-256 of a payload, base64url');
export const recordIdsRequest = z.strictObject({ ids: z.array(recordId).min(1).max(recordIdsMax) });

/** Reads the ids that are asked for, each once. Refuses 400 `record_ids.malformed` with the field. */
export function readRecordIds(body: unknown): Uint8Array[] {
  const { ids } = parseStrictly(recordIdsRequest, body ?? {}, 'record_ids.malformed');
  return [...new Set(ids)].map((id) => decodeBase64Url(id, 'id'));
}
