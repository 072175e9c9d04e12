import { Refusal } from '#kernel';

/** One value of DER (X.690). */
export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content: what a signature is over. */
  readonly whole: Uint8Array;
}

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
  utcTime: 0x17,
  time: 0x18,
} as const;
/** [0] EXPLICIT. */
export const derContext0 = 0xa0;

const lengthBytesMax = 4;

/** Exactly one value, and not a byte more. Refuses 400 `der.malformed`, as everything here. */
export function readDer(bytes: Uint8Array): Der {
  const [value, ...more] = valuesOf(bytes);
  if (!value || more.length > 0) throw malformed('expected one value');
  return value;
}

/** The values inside, where this is a value of that tag. */
export function childrenOf(value: Der | undefined, tag: number = DER.sequence): Der[] {
  return valuesOf(contentOf(value, tag));
}

export function contentOf(value: Der | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) throw malformed(`expected a value of tag ${tag}`);
  return value.content;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** UTCTime of the years 1950 to 2049, or GeneralizedTime, both to the second and in UTC (RFC 5280 §4.1.2.5). */
export function timeOf(value: Der | undefined): Date {
  const text = Buffer.from(value?.content ?? []).toString('latin1');
  const form = value?.tag === DER.utcTime ? /^\d{12}Z$/ : /^\d{14}Z$/;
  if ((value?.tag !== DER.utcTime && value?.tag !== DER.time) || !form.test(text)) throw malformed('expected a time');
  const full = value.tag === DER.utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text : text;
  const iso = full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = new Date(iso);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw malformed('expected a time that exists');
  return time;
}

function valuesOf(bytes: Uint8Array): Der[] {
  const values: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const value = valueAt(bytes, at);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function valueAt(bytes: Uint8Array, at: number): Der {
  const [tag, first] = [bytes[at]!, bytes[at + 1]];
  if ((tag & 0x1f) === 0x1f || first === undefined) throw malformed('a tag or length of more bytes than are here');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : longLength(bytes.subarray(at + 2, start), lengthBytes);
  if (start + length > bytes.length) throw malformed('a value ends after its surroundings');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** The shortest form and no other: a document has one spelling (X.690 §10.1). */
function longLength(bytes: Uint8Array, count: number): number {
  if (count === 0 || count > lengthBytesMax || bytes.length < count || bytes[0] === 0) throw malformed('a length that is not DER');
  const length = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (length < 0x80) throw malformed('a length that is not DER');
  return length;
}

const malformed = (detail: string) => new Refusal('malformed', 'der.malformed', detail);
