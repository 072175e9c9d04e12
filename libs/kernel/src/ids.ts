import { Refusal } from './refusal.js';
import { SHARDS, type Shard } from './shard.js';

/**
 * Ids. Inside and in the database an id is a UUIDv7 (RFC 9562) and a shard. Outside it is one word:
 * `<prefix>_<shard as one character><UUID as 26 characters of Crockford base 32>`, for example `dec_k01J8ZQ…`.
 */
export type IdPrefix =
  'sub' | 'lnk' | 'dec' | 'rsv' | 'evt' | 'stm' | 'rec' | 'exp' | 'rst' | 'apl' | 'rso' | 'bat' | 'bkt' | 'alw' | 'enr' | 'cns' | 'dsp';

export interface ShardedId {
  readonly shard: Shard;
  readonly uuid: string;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BASE32_CHARS = 26;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A UUIDv7 of the given millisecond; `random` gives at least 10 unpredictable bytes. */
export function uuidV7(atMs: number, random: Uint8Array): string {
  const time = Math.floor(atMs).toString(16).padStart(12, '0');
  const hex = (i: number): string => HEX[random[i]!]!;
  const version = HEX[0x70 | (random[0]! & 0x0f)]! + hex(1);
  const variant = HEX[0x80 | (random[2]! & 0x3f)]! + hex(3);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
}

export function isUuid(text: string): boolean {
  return UUID_FORM.test(text);
}

/** Two digits of base 32 for every ten bits: ids are written on every decision, and BigInt arithmetic cost more than the rest of them. */
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, bits) => ALPHABET[bits >> 5]! + ALPHABET[bits & 31]!);
const SHARD_CHARACTERS = new Map<Shard, string>(SHARDS.map((shard, i) => [shard, ALPHABET[i]!]));
const DIGIT_VALUES = new Map<string, number>([...ALPHABET].map((char, value) => [char, value]));

/** 128 bits are 2 digits for the first 8 bits, and 4 for each 20 bits (5 hexadecimal digits) after them. */
const HEX_PER_GROUP = 5;
const DIGITS_PER_GROUP = 4;

export function formatId(prefix: IdPrefix, { shard, uuid }: ShardedId): string {
  const hex = uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
  let text = `${prefix}_${SHARD_CHARACTERS.get(shard)!}${PAIRS[parseInt(hex.slice(0, 2), 16)]!}`;
  for (let at = 2; at < hex.length; at += HEX_PER_GROUP) {
    const bits = parseInt(hex.slice(at, at + HEX_PER_GROUP), 16);
    text += PAIRS[bits >> 10]! + PAIRS[bits & 1023]!;
  }
  return text;
}

/** Reads an external id. Refuses `id.malformed` (400) for another prefix, alphabet or length. */
export function parseId(prefix: IdPrefix, text: string): ShardedId {
  const body = text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : '';
  const shard = SHARDS[DIGIT_VALUES.get(body.charAt(0)) ?? -1];
  const first = bitsOf(body, 1, 2);
  if (shard === undefined || body.length !== UUID_BASE32_CHARS + 1 || !(first < 256)) throw malformed(prefix);
  let hex = first.toString(16).padStart(2, '0');
  for (let at = 3; at < body.length; at += DIGITS_PER_GROUP) {
    const bits = bitsOf(body, at, DIGITS_PER_GROUP);
    if (Number.isNaN(bits)) throw malformed(prefix);
    hex += bits.toString(16).padStart(HEX_PER_GROUP, '0');
  }
  return { shard, uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` };
}

/** The value of `count` digits from `at`; NaN where one is none. */
function bitsOf(text: string, at: number, count: number): number {
  let bits = 0;
  for (let i = at; i < at + count; i++) bits = bits * 32 + (DIGIT_VALUES.get(text.charAt(i)) ?? Number.NaN);
  return bits;
}

function malformed(prefix: IdPrefix): Refusal {
  return new Refusal('malformed', 'id.malformed', `expected an id of the form ${prefix}_…`);
}

/** A fact's public name is its place: `fct_<shard character><number on that shard>`. */
export function formatFactId(shard: Shard, seq: bigint): string {
  return `fct_${SHARD_CHARACTERS.get(shard)!}${seq}`;
}
