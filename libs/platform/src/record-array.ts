/**
 * An array of a composite type in PostgreSQL's binary format (array_recv, record_recv): a batch travels as one buffer, row by row, and is
 * read without parsing a character. Fields are written in the order of the type's columns; `undefined` is NULL.
 */

const OIDS = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;

const ARRAY_HEADER_BYTES = 20;
const EMPTY_ARRAY_BYTES = 12;
const FIELD_HEADER_BYTES = 8;
/** The longest of fixed length. */
const UUID_BYTES = 16;
const ASCII_CHARS_MAX = 128;
const ASCII_MAX = 0x7f;
const UTF8_BYTES_PER_CHAR_MAX = 3;
const NULL_LENGTH = -1;
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

export class RecordArray {
  private buffer!: Buffer;
  private view!: DataView;
  private at = ARRAY_HEADER_BYTES;
  private count = 0;
  private recordAt = 0;

  /** `elementOid`: the composite type's; `fields`: how many columns it has. */
  constructor(
    private readonly elementOid: number,
    private readonly fields: number,
    bytesGuess: number,
  ) {
    this.use(Buffer.allocUnsafe(ARRAY_HEADER_BYTES + bytesGuess));
  }

  beginRecord(): void {
    this.reserve(FIELD_HEADER_BYTES);
    this.recordAt = this.at;
    this.view.setInt32(this.at + 4, this.fields);
    this.at += FIELD_HEADER_BYTES;
    this.count++;
  }

  endRecord(): void {
    this.view.setInt32(this.recordAt, this.at - this.recordAt - 4);
  }

  bool(value: boolean | undefined): void {
    if (value === undefined) return this.nothing(OIDS.bool);
    this.header(OIDS.bool, 1);
    this.view.setUint8(this.at++, Number(value));
  }

  int2(value: number): void {
    this.header(OIDS.int2, 2);
    this.view.setInt16(this.at, value);
    this.at += 2;
  }

  int4(value: number | undefined): void {
    if (value === undefined) return this.nothing(OIDS.int4);
    this.header(OIDS.int4, 4);
    this.view.setInt32(this.at, value);
    this.at += 4;
  }

  int8(value: bigint | undefined): void {
    if (value === undefined) return this.nothing(OIDS.int8);
    this.header(OIDS.int8, 8);
    this.view.setBigInt64(this.at, value);
    this.at += 8;
  }

  timestamp(value: Date): void {
    this.header(OIDS.timestamptz, 8);
    writeTimestamp(this.buffer, this.at, value);
    this.at += 8;
  }

  uuid(value: string): void {
    this.header(OIDS.uuid, UUID_BYTES);
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
    const from = this.at + FIELD_HEADER_BYTES;
    const isAscii = value.length <= ASCII_CHARS_MAX && writeAscii(this.buffer, from, value);
    const written = isAscii ? value.length : this.buffer.write(value, from);
    this.header(OIDS.text, written);
    this.at += written;
  }

  /** Fields that `takeFields` of another array gave: written before, the same for many records. */
  written(fields: Buffer): void {
    this.reserve(fields.length);
    this.buffer.set(fields, this.at);
    this.at += fields.length;
  }

  /** Where the next field begins, for `again`. */
  get place(): number {
    return this.at;
  }

  /** The fields that stand in [from, until), once more. */
  again(from: number, until: number): void {
    this.reserve(until - from);
    this.buffer.copyWithin(this.at, from, until);
    this.at += until - from;
  }

  /** What was written outside any record. */
  takeFields(): Buffer {
    return this.buffer.subarray(ARRAY_HEADER_BYTES, this.at);
  }

  finish(): Buffer {
    this.view.setInt32(0, this.count === 0 ? 0 : 1);
    this.view.setInt32(4, 0);
    this.view.setUint32(8, this.elementOid);
    if (this.count === 0) return this.buffer.subarray(0, EMPTY_ARRAY_BYTES);
    this.view.setInt32(12, this.count);
    this.view.setInt32(16, 1);
    return this.buffer.subarray(0, this.at);
  }

  private nothing(oid: number): void {
    this.header(oid, NULL_LENGTH);
  }

  private header(oid: number, length: number): void {
    this.reserve(FIELD_HEADER_BYTES + UUID_BYTES);
    this.view.setUint32(this.at, oid);
    this.view.setInt32(this.at + 4, length);
    this.at += FIELD_HEADER_BYTES;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.use(larger);
  }

  private use(buffer: Buffer): void {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }
}

/** Whether all of it was ASCII. Names and keys are short: a call into the encoder costs more than their characters. */
function writeAscii(buffer: Buffer, at: number, value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > ASCII_MAX) return false;
    buffer[at + i] = code;
  }
  return true;
}

const WORD = 2 ** 32;

/** Two words, because a bigint for every time costs more than all the rest of it. */
export function writeTimestamp(buffer: Buffer, at: number, value: Date): void {
  const sinceMs = value.getTime() - POSTGRES_EPOCH_MS;
  const us = sinceMs * 1_000;
  if (!Number.isSafeInteger(us)) {
    buffer.writeBigInt64BE(BigInt(sinceMs) * 1_000n, at);
    return;
  }
  const high = Math.floor(us / WORD);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(us - high * WORD, at + 4);
}

export function writeUuid(buffer: Buffer, at: number, uuid: string): number {
  let offset = at;
  for (let i = 0; i < UUID_CHARS; i += 2) {
    if (uuid.charCodeAt(i) === DASH) i++;
    buffer[offset++] = (nibble(uuid.charCodeAt(i)) << 4) | nibble(uuid.charCodeAt(i + 1));
  }
  return offset;
}

const UUID_CHARS = 36;
const DASH = 45;

/** 0-9 and a-f by their character codes; ids are checked where they are read. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
