import { deflateSync, inflateSync } from 'node:zlib';
import { Refusal } from '#kernel';
import { decodeBase64Url, encodeBase64Url } from '../jose/base64url.js';
import type { JsonObject, JsonValue } from '../jose/strict-json.js';

/** Token Status List (draft-ietf-oauth-status-list §4, §5): two bits for each token, so that one may also be suspended. */
export const STATUS_LIST_TYP = 'statuslist+jwt';
const TOKEN_STATUS = { VALID: 0, INVALID: 1, SUSPENDED: 2 } as const;
export type TokenStatus = keyof typeof TOKEN_STATUS;

const bits = 2;
const perByte = 8 / bits;
/** A list of ours has 64 KiB; a bomb is none. */
const listBytesMax = 1_048_576;

/** The `status_list` of `entries` tokens, all VALID but those named. */
export function encodeStatusList(entries: number, named: Iterable<readonly [index: number, status: TokenStatus]>): JsonObject {
  const bytes = new Uint8Array(Math.ceil(entries / perByte));
  for (const [index, status] of named) bytes[Math.floor(index / perByte)]! |= TOKEN_STATUS[status] << (bits * (index % perByte));
  return { bits, lst: encodeBase64Url(deflateSync(bytes, { level: 9 })) };
}

/** The status at `index`. Refuses `status_list.malformed` (400), also where the list has no such index. */
export function statusAt(list: JsonValue | undefined, index: number): TokenStatus {
  const { bits: width, lst } = (typeof list === 'object' && list !== null ? list : {}) as JsonObject;
  if (typeof width !== 'number' || ![1, 2, 4, 8].includes(width) || typeof lst !== 'string') throw malformed();
  const bytes = inflate(decodeBase64Url(lst, 'status list'));
  const byte = Number.isSafeInteger(index) && index >= 0 ? bytes[Math.floor((index * width) / 8)] : undefined;
  if (byte === undefined) throw malformed();
  const value = (byte >> ((index * width) % 8)) & ((1 << width) - 1);
  const status = (Object.keys(TOKEN_STATUS) as TokenStatus[]).find((name) => TOKEN_STATUS[name] === value);
  // A status that nobody defined is not one to rely on.
  return status ?? 'INVALID';
}

function inflate(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: listBytesMax });
  } catch {
    throw malformed();
  }
}

function malformed(): Refusal {
  return new Refusal('malformed', 'status_list.malformed', 'this is no status list, or it has no such entry');
}
