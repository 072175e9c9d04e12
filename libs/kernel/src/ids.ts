import { Refusal } from './refusal.js';
import { SHARDS, type Shard } from './shard.js';

/**
 * Ids. Inside and in the database an id is a UUIDv7 (RFC 9562) and a shard. Outside it is one word:
 * `<prefix>_<shard as one character><UUID as 26 characters of Crockford base 32>`, for example `dec_k01J8ZQ…`.
 */
export type IdPrefix = 'sub' | 'lnk' | 'dec' | 'rsv' | 'evt' | 'stm' | 'rec' | 'brk' | 'exp' | 'rst' | 'ent';

export interface ShardedId {
  readonly shard: Shard;
  readonly uuid: string;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BASE32_CHARS = 26;

/** A UUIDv7 of the given millisecond; `random` gives at least 10 unpredictable bytes. */
export function uuidV7(atMs: number, random: Uint8Array): string {
  const time = Math.floor(atMs).toString(16).padStart(12, '0');
  const hex = [...random.subarray(0, 10)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = (8 | (parseInt(hex[4]!, 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(1, 4)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}`;
}

export function isUuid(text: string): boolean {
  return UUID_FORM.test(text);
}

export function formatId(prefix: IdPrefix, id: ShardedId): string {
  let rest = BigInt(`0x${id.uuid.replaceAll('-', '')}`);
  let digits = '';
  for (let i = 0; i < UUID_BASE32_CHARS; i++, rest >>= 5n) digits = ALPHABET[Number(rest & 31n)]! + digits;
  return `${prefix}_${ALPHABET[(SHARDS as readonly number[]).indexOf(id.shard)]!}${digits}`;
}

/** Reads an external id. Refuses `id.malformed` (400) for another prefix, alphabet or length. */
export function parseId(prefix: IdPrefix, text: string): ShardedId {
  const body = text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : '';
  const values = [...body].map((char) => ALPHABET.indexOf(char));
  if (values.length !== UUID_BASE32_CHARS + 1 || values.includes(-1) || values[1]! > 7) {
    throw new Refusal('malformed', 'id.malformed', `expected an id of the form ${prefix}_…`);
  }
  const hex = values
    .slice(1)
    .reduce((sum, value) => (sum << 5n) | BigInt(value), 0n)
    .toString(16)
    .padStart(32, '0');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return { shard: SHARDS[values[0]!]!, uuid };
}

/** A fact's public name is its place: `fct_<shard character><number on that shard>`. */
export function formatFactId(shard: Shard, seq: bigint): string {
  return `fct_${ALPHABET[(SHARDS as readonly number[]).indexOf(shard)]!}${seq}`;
}
