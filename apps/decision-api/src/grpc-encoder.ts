/**
 * Writes protocol buffer messages straight from plain objects, driven by the descriptors that proto-loader gives. Its own way copies every
 * answer into message objects and those into a list of operations first: on a stream that was a quarter of decision-api's time
 * (2026-11-22). The bytes are the same (grpc-encoder.spec.ts).
 */

interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

interface TypeDefinition {
  readonly type: {
    readonly field?: readonly FieldDescriptor[];
    readonly value?: readonly { readonly name: string; readonly number: number }[];
  };
}

/** What proto-loader's `loadSync` returns: message and enum types by their full name, and services. */
export type PackageDefinition = Readonly<Record<string, object>>;

type Write = (out: Bytes, value: never) => void;
type Message = readonly Field[];

interface Field {
  readonly name: string;
  readonly key: number;
  readonly repeated: boolean;
  readonly write: Write;
}

const VARINT = 0;
const DELIMITED = 2;

const SCALARS: Readonly<Record<string, readonly [wire: number, write: Write]>> = {
  TYPE_STRING: [DELIMITED, (out, value: string) => out.text(value)],
  TYPE_BOOL: [VARINT, (out, value: boolean) => out.varint(Number(value))],
  TYPE_INT32: [VARINT, (out, value: number) => out.integer(value)],
  TYPE_INT64: [VARINT, (out, value: number | string) => out.integer(value)],
  TYPE_UINT64: [VARINT, (out, value: number | string) => out.integer(value)],
};

/** The encoder of a message type, by its full name. Throws for a kind of field that our protocol does not have. */
export function encoderOf(types: PackageDefinition, name: string): (value: object) => Buffer {
  const message = messageOf(types, name, new Map());
  return (value) => {
    const out = new Bytes();
    writeFields(out, message, value);
    return out.take();
  };
}

function messageOf(types: PackageDefinition, name: string, known: Map<string, Field[]>): Message {
  const made = known.get(name);
  if (made) return made;
  const fields: Field[] = [];
  known.set(name, fields);
  const home = name.slice(0, name.lastIndexOf('.'));
  const described = [...((types[name] as TypeDefinition).type.field ?? [])].sort((a, b) => a.number - b.number);
  for (const field of described) {
    const [wire, write] = kindOf(types, field, home, known);
    fields.push({ name: field.name, key: field.number * 8 + wire, repeated: field.label === 'LABEL_REPEATED', write });
  }
  return fields;
}

function kindOf(
  types: PackageDefinition,
  { type, typeName, name }: FieldDescriptor,
  home: string,
  known: Map<string, Field[]>,
): readonly [number, Write] {
  if (type === 'TYPE_MESSAGE') {
    const message = messageOf(types, `${home}.${typeName}`, known);
    return [DELIMITED, (out, value: object) => out.message(message, value)];
  }
  if (type === 'TYPE_ENUM') {
    const values = new Map((types[`${home}.${typeName}`] as TypeDefinition).type.value?.map((entry) => [entry.name, entry.number]));
    return [VARINT, (out, value: string) => out.varint(values.get(value) ?? 0)];
  }
  const scalar = SCALARS[type];
  if (!scalar) throw new Error(`grpc-encoder does not know ${type} (${name})`);
  return scalar;
}

function writeFields(out: Bytes, fields: Message, value: object): void {
  for (const { name, key, repeated, write } of fields) {
    const part = (value as Record<string, never>)[name];
    if (part === undefined || part === null) continue;
    for (const item of repeated ? (part as readonly never[]) : [part]) {
      out.varint(key);
      write(out, item);
    }
  }
}

const BYTES_AT_FIRST = 1_024;
const VARINT_BYTES_MAX = 10;
const UTF8_BYTES_PER_CHAR_MAX = 3;
const ONE_BYTE_MAX = 0x7f;

class Bytes {
  private buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  private at = 0;

  take(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  /** Up to 2^53; what may be larger comes by `integer`. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > ONE_BYTE_MAX) {
      this.buffer[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.at++] = rest;
  }

  /** A 64-bit integer, negative ones as their two's complement. */
  integer(value: number | string): void {
    const number = Number(value);
    if (number >= 0 && Number.isSafeInteger(number)) return this.varint(number);
    this.reserve(VARINT_BYTES_MAX);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  text(value: string): void {
    this.reserve(VARINT_BYTES_MAX + value.length * UTF8_BYTES_PER_CHAR_MAX);
    const start = this.at;
    this.varint(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > ONE_BYTE_MAX) {
        this.at = start;
        return this.wideText(value);
      }
      this.buffer[this.at++] = code;
    }
  }

  /** The length goes before what is only then known: nearly always one byte, else the message moves up. */
  message(fields: Message, value: object): void {
    this.reserve(VARINT_BYTES_MAX);
    const start = this.at++;
    writeFields(this, fields, value);
    const length = this.at - start - 1;
    if (length <= ONE_BYTE_MAX) {
      this.buffer[start] = length;
      return;
    }
    const content = Buffer.from(this.buffer.subarray(start + 1, this.at));
    this.at = start;
    this.varint(length);
    this.reserve(length);
    this.buffer.set(content, this.at);
    this.at += length;
  }

  private wideText(value: string): void {
    this.varint(Buffer.byteLength(value));
    this.at += this.buffer.write(value, this.at);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}
