import { Refusal } from '#kernel';
import { sameBytes, utf8 } from '../bytes.js';

/** Bytes that can be read anywhere: a file, a Blob, memory. */
export interface RandomReader {
  readonly size: number;
  /** Exactly `length` bytes from `offset`, which lie inside. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export const tarBlockBytes = 512;
/** What eleven octal digits can say. */
export const tarMemberBytesMax = 0o77777777777;

const NAME_BYTES = 100;
const SIZE_AT = 124;
const SIZE_DIGITS = 11;

/** The one header (POSIX ustar) that we write for a file of this name and size: no owner, no time, so that each byte has one right value. */
export function tarHeader(name: string, size: number): Uint8Array {
  const header = new Uint8Array(tarBlockBytes);
  const put = (offset: number, text: string) => header.set(utf8.encode(text), offset);
  put(0, name);
  put(100, '0000644\0' + '0000000\0' + '0000000\0');
  put(SIZE_AT, `${octal(size, SIZE_DIGITS)}\0${octal(0, SIZE_DIGITS)}\0`);
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\u000000');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  put(148, `${octal(checksum, 6)}\0 `);
  return header;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

/** Zero bytes that fill the last block of a member of `size` bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes);
}

/** Two empty blocks end an archive. */
export const tarEnd = new Uint8Array(2 * tarBlockBytes);

/** Finds the members of an archive that holds exactly `names`, in order, as we write it. Refuses `bundle.malformed` for any other byte. */
export async function readTar(reader: RandomReader, names: readonly string[]): Promise<Map<string, TarMember>> {
  const members = new Map<string, TarMember>();
  let at = 0;
  for (const name of names) {
    const header = await readBlock(reader, at, tarBlockBytes, name);
    const size = parseSize(header, name);
    if (!sameBytes(header, tarHeader(name, size)))
      throw malformed(name, 'its header in the archive was altered, or this is no export bundle');
    members.set(name, { name, offset: at + tarBlockBytes, size });
    const padding = tarPadding(size).length;
    const filler = await readBlock(reader, at + tarBlockBytes + size, padding, name);
    if (filler.some((byte) => byte !== 0)) throw malformed(name, 'the bytes after it were altered');
    at += tarBlockBytes + size + padding;
  }
  const end = await readBlock(reader, at, tarEnd.length, 'end of the archive');
  if (end.some((byte) => byte !== 0) || reader.size !== at + tarEnd.length) throw malformed('end of the archive', 'unexpected bytes');
  return members;
}

function parseSize(header: Uint8Array, name: string): number {
  const digits = new TextDecoder().decode(header.subarray(SIZE_AT, SIZE_AT + SIZE_DIGITS));
  if (!/^[0-7]{11}$/.test(digits) || utf8.encode(name).length >= NAME_BYTES) throw malformed(name, 'its size in the archive is unreadable');
  return parseInt(digits, 8);
}

async function readBlock(reader: RandomReader, offset: number, length: number, name: string): Promise<Uint8Array> {
  if (offset + length > reader.size) throw malformed(name, 'the archive is cut off');
  return reader.read(offset, length);
}

const malformed = (part: string, detail: string) => new Refusal('malformed', 'bundle.malformed', `${part}: ${detail}`, { extra: { part } });
