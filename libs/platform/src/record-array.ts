/**
 * An array of a composite type in PostgreSQL's binary format (array_recv, record_recv): a batch travels as one buffer, row by row, and is
 * read without parsing a character. Fields are written in the order of the type's columns; `undefined` is NULL.
 */

const OIDS = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;

const ARRAY_HEADER_BYTES = 20;
const EMPTY_ARRAY_BYTES = 12;
const FIELD_HEADER_BYTES = 8;
const FIXED_BYTES_MAX = 16;
const UTF8_BYTES_PER_CHAR_MAX = 3;
const NULL_LENGTH = -1;
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

export class RecordArray {
  private buffer: Buffer;
  private at = ARRAY_HEADER_BYTES;
  private count = 0;
  private recordAt = 0;

  /** `elementOid`: the composite type's; `fields`: how many columns it has. */
  constructor(
    private readonly elementOid: number,
    private readonly fields: number,
    bytesGuess: number,
  ) {
    this.buffer = Buffer.allocUnsafe(ARRAY_HEADER_BYTES + bytesGuess);
  }

  beginRecord(): void {
    this.reserve(FIELD_HEADER_BYTES);
    this.recordAt = this.at;
    this.buffer.writeInt32BE(this.fields, this.at + 4);
    this.at += FIELD_HEADER_BYTES;
    this.count++;
  }

  endRecord(): void {
    this.buffer.writeInt32BE(this.at - this.recordAt - 4, this.recordAt);
  }

  bool(value: boolean | undefined): void {
    if (value === undefined) return this.nothing(OIDS.bool);
    this.header(OIDS.bool, 1);
    this.buffer[this.at++] = Number(value);
  }

  int2(value: number): void {
    this.header(OIDS.int2, 2);
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int4(value: number | undefined): void {
    if (value === undefined) return this.nothing(OIDS.int4);
    this.header(OIDS.int4, 4);
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  int8(value: bigint | undefined): void {
    if (value === undefined) return this.nothing(OIDS.int8);
    this.header(OIDS.int8, 8);
    this.at = this.buffer.writeBigInt64BE(value, this.at);
  }

  timestamp(value: Date): void {
    this.header(OIDS.timestamptz, 8);
    this.at = this.buffer.writeBigInt64BE(microseconds(value), this.at);
  }

  uuid(value: string): void {
    this.header(OIDS.uuid, 16);
    this.at = writeUuid(this.buffer, this.at, value);
  }

  bytes(value: Uint8Array): void {
    this.reserve(FIELD_HEADER_BYTES + value.length);
    this.header(OIDS.bytea, value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  text(value: string | undefined): void {
    if (value === undefined) return this.nothing(OIDS.text);
    this.reserve(FIELD_HEADER_BYTES + value.length * UTF8_BYTES_PER_CHAR_MAX);
    const written = this.buffer.write(value, this.at + FIELD_HEADER_BYTES);
    this.header(OIDS.text, written);
    this.at += written;
  }

  /** Fields that `takeFields` of another array gave: written before, the same for many records. */
  written(fields: Buffer): void {
    this.reserve(fields.length);
    this.buffer.set(fields, this.at);
    this.at += fields.length;
  }

  /** What was written outside any record. */
  takeFields(): Buffer {
    return this.buffer.subarray(ARRAY_HEADER_BYTES, this.at);
  }

  finish(): Buffer {
    this.buffer.writeInt32BE(this.count === 0 ? 0 : 1, 0);
    this.buffer.writeInt32BE(0, 4);
    this.buffer.writeUInt32BE(this.elementOid, 8);
    if (this.count === 0) return this.buffer.subarray(0, EMPTY_ARRAY_BYTES);
    this.buffer.writeInt32BE(this.count, 12);
    this.buffer.writeInt32BE(1, 16);
    return this.buffer.subarray(0, this.at);
  }

  private nothing(oid: number): void {
    this.header(oid, NULL_LENGTH);
  }

  private header(oid: number, length: number): void {
    this.reserve(FIELD_HEADER_BYTES + FIXED_BYTES_MAX);
    this.buffer.writeUInt32BE(oid, this.at);
    this.buffer.writeInt32BE(length, this.at + 4);
    this.at += FIELD_HEADER_BYTES;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

/** The ends of windows are the same few dates for everybody. */
const MICROSECONDS = new WeakMap<Date, bigint>();

export function microseconds(date: Date): bigint {
  let known = MICROSECONDS.get(date);
  if (known === undefined) {
    known = BigInt(date.getTime() - POSTGRES_EPOCH_MS) * 1000n;
    MICROSECONDS.set(date, known);
  }
  return known;
}

const UUID_GROUPS = [
  [0, 8],
  [9, 13],
  [14, 18],
  [19, 23],
  [24, 36],
] as const;

export function writeUuid(buffer: Buffer, at: number, uuid: string): number {
  let offset = at;
  for (const [from, to] of UUID_GROUPS) {
    for (let i = from; i < to; i += 2) buffer[offset++] = (nibble(uuid.charCodeAt(i)) << 4) | nibble(uuid.charCodeAt(i + 1));
  }
  return offset;
}

/** 0-9 and a-f by their character codes; ids are checked where they are read. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
