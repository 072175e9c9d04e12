import { writeTimestamp, writeUuid } from './record-array.js';

/**
 * PostgreSQL arrays in its binary format (array_recv), one buffer per column of a batch. The driver's own way, array literals as text, is
 * built and parsed character by character on both sides.
 */

const OIDS = { bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950, jsonb: 3802 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const JSONB_VERSION = 1;

type Nullable<T> = readonly (T | undefined)[];

export const int2Array = (values: Nullable<number>) => fixed('int2', 2, values, (buffer, at, value) => buffer.writeInt16BE(value, at));
export const int4Array = (values: Nullable<number>) => fixed('int4', 4, values, (buffer, at, value) => buffer.writeInt32BE(value, at));
export const int8Array = (values: Nullable<bigint>) => fixed('int8', 8, values, (buffer, at, value) => buffer.writeBigInt64BE(value, at));
export const uuidArray = (values: Nullable<string>) => fixed('uuid', 16, values, writeUuid);

export const timestampArray = (values: Nullable<Date>) => fixed('timestamptz', 8, values, writeTimestamp);

export function byteaArray(values: Nullable<Uint8Array>): Buffer {
  return variable(
    'bytea',
    values,
    (value) => value.length,
    (buffer, at, value) => buffer.set(value, at),
  );
}

/** Texts of JSON values, behind the one version there is of their binary form. */
export function jsonbArray(values: Nullable<string>): Buffer {
  return variable(
    'jsonb',
    values,
    (value) => 1 + Buffer.byteLength(value),
    (buffer, at, value) => buffer.write(value, buffer.writeUInt8(JSONB_VERSION, at)),
  );
}

export function textArray(values: Nullable<string>): Buffer {
  return variable(
    'text',
    values,
    (value) => Buffer.byteLength(value),
    (buffer, at, value) => buffer.write(value, at),
  );
}

function fixed<T>(
  type: keyof typeof OIDS,
  size: number,
  values: Nullable<T>,
  write: (buffer: Buffer, at: number, value: T) => void,
): Buffer {
  return variable(type, values, () => size, write);
}

function variable<T>(
  type: keyof typeof OIDS,
  values: Nullable<T>,
  sizeOf: (value: T) => number,
  write: (buffer: Buffer, at: number, value: T) => void,
): Buffer {
  if (values.length === 0) return emptyArray(type);
  let bytes = HEADER_BYTES;
  for (const value of values) bytes += LENGTH_BYTES + (value === undefined ? 0 : sizeOf(value));
  const buffer = Buffer.allocUnsafe(bytes);
  let at = writeHeader(buffer, type, values);
  for (const value of values) {
    const size = value === undefined ? NULL_LENGTH : sizeOf(value);
    at = buffer.writeInt32BE(size, at);
    if (value === undefined) continue;
    write(buffer, at, value);
    at += size;
  }
  return buffer;
}

/** Dimensions, whether there are NULLs, the element's type, length and lower bound. */
function writeHeader(buffer: Buffer, type: keyof typeof OIDS, values: readonly unknown[]): number {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(Number(values.includes(undefined)), 4);
  buffer.writeUInt32BE(OIDS[type], 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return HEADER_BYTES;
}

/** No dimension at all: three words and nothing more. */
function emptyArray(type: keyof typeof OIDS): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeUInt32BE(OIDS[type], 8);
  return buffer;
}
