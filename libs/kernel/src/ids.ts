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

/**
 * Ids are read and written with every decision, so both go over tables. 128 bits are 2 digits of base 32 for the first 8 bits, and 4 for each
 * 20 bits (5 hexadecimal digits) after them: seven groups.
 */
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, bits) => ALPHABET[bits >> 5]! + ALPHABET[bits & 31]!);
const SHARD_CHARACTERS = new Map<Shard, string>(SHARDS.map((shard, i) => [shard, ALPHABET[i]!]));
const HEX3: readonly string[] = Array.from({ length: 4096 }, (_, bits) => bits.toString(16).padStart(3, '0'));

/** The value of a character as a digit; other characters have one that no group of digits reaches. */
const NO_DIGIT = 2 ** 24;
const valuesOf = (digits: string): Int32Array => {
  const values = new Int32Array(128).fill(NO_DIGIT);
  for (let value = 0; value < digits.length; value++) values[digits.charCodeAt(value)] = value;
  return values;
};
const BASE32_VALUES = valuesOf(ALPHABET);
const HEX_VALUES = valuesOf('0123456789abcdef');

export function formatId(prefix: IdPrefix, { shard, uuid }: ShardedId): string {
  return (
    `${prefix}_${SHARD_CHARACTERS.get(shard)!}${PAIRS[hexBits(uuid, 0, 2)]!}` +
    fourDigits(hexBits(uuid, 2, 5)) +
    fourDigits((hexBits(uuid, 7, 1) << 16) | hexBits(uuid, 9, 4)) +
    fourDigits((hexBits(uuid, 14, 4) << 4) | hexBits(uuid, 19, 1)) +
    fourDigits((hexBits(uuid, 20, 3) << 8) | hexBits(uuid, 24, 2)) +
    fourDigits(hexBits(uuid, 26, 5)) +
    fourDigits(hexBits(uuid, 31, 5))
  );
}

function hexBits(uuid: string, from: number, count: number): number {
  let bits = 0;
  for (let i = from; i < from + count; i++) bits = (bits << 4) | HEX_VALUES[uuid.charCodeAt(i)]!;
  return bits;
}

function fourDigits(bits: number): string {
  return PAIRS[bits >> 10]! + PAIRS[bits & 1023]!;
}

/** Reads an external id. Refuses `id.malformed` (400) for another prefix, alphabet or length; `field` says where it stood. */
export function parseId(prefix: IdPrefix, text: string, field?: string): ShardedId {
  const at = prefix.length + 1;
  const shard = SHARDS[BASE32_VALUES[text.charCodeAt(at)] ?? NO_DIGIT];
  if (text.length !== at + 1 + UUID_BASE32_CHARS || !text.startsWith(prefix) || text[prefix.length] !== '_' || shard === undefined)
    throw malformed(prefix, field);
  const first = base32Bits(text, at + 1, 2);
  const [a, b] = [base32Bits(text, at + 3, 4), base32Bits(text, at + 7, 4)];
  const [c, d] = [base32Bits(text, at + 11, 4), base32Bits(text, at + 15, 4)];
  const [e, f] = [base32Bits(text, at + 19, 4), base32Bits(text, at + 23, 4)];
  if (!(first < 256 && Math.max(a, b, c, d, e, f) < 2 ** 20)) throw malformed(prefix, field);
  const left = `${HEX[first]!}${fiveHex(a)}${(b >> 16).toString(16)}-${fourHex(b & 0xffff)}-${fourHex(c >> 4)}`;
  return { shard, uuid: `${left}-${(c & 15).toString(16)}${HEX3[d >> 8]!}-${HEX[d & 255]!}${fiveHex(e)}${fiveHex(f)}` };
}

/** The value of `count` digits from `from`; 2^24 and more, or NaN, where one is none. */
function base32Bits(text: string, from: number, count: number): number {
  let bits = 0;
  for (let i = from; i < from + count; i++) bits = bits * 32 + BASE32_VALUES[text.charCodeAt(i)]!;
  return bits;
}

function fourHex(bits: number): string {
  return HEX[bits >> 8]! + HEX[bits & 255]!;
}

function fiveHex(bits: number): string {
  return HEX3[bits >> 8]! + HEX[bits & 255]!;
}

function malformed(prefix: IdPrefix, field?: string): Refusal {
  return new Refusal('malformed', 'id.malformed', `expected an id of the form ${prefix}_…`, field === undefined ? {} : { field });
}

/** A fact's public name is its place: `fct_<shard character><number on that shard>`. */
export function formatFactId(shard: Shard, seq: bigint): string {
  return `fct_${SHARD_CHARACTERS.get(shard)!}${seq}`;
}
