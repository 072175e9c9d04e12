import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBody } from './decode-body.js';

const LINES = Array.from({ length: 400 }, (_, i) => `{"line":${i},"text":"a record of bank-a"}\n`).join('');

/** What `zstd -19 --check` makes of them. */
const ZSTD_OF_LINES = Buffer.from(
  [
    'KLUv/QRorAkAJhUvG3BJ0hxOdMw+9XM8EKv/P3taWtpEZgzUqDpxcDUAJwAeAERERDQzMzMz07Zt2/7/f+JZ0XSABnIIICSOAcNAYRQsFASIhXGQA1FYQCiQ',
    'gHIgiMRBAmEI////5XK5XC6Xy+VyZmZmZiYiIiIi4t3d3d2dmZmZmVlVVVVVFREF13Vd13Vd0zRN0zRN0/Q8z/M8z/M899577733/v8feZ7neZ7neY7jOI7j',
    'OI7j933f933f923btm3btm3bdQWAyKgREPr9PwPQG9UBEjhB4P/fwx+KREkklEJRKAqlUEmKRIkolEKlKAqlpEiKhBLWGTi3zaS5ZCbMzWWy3CoD5UUAAAAA',
    'ACAAAAAIAAAAAAAAEAAAAABAmQySS2SAXB6D46YxMC6LQbE6faev6Tt959S6ApAqPQMAAo0LBfA5SUkPVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVf//////',
    '////////T5IkGYDIqBDwB+D3NxL4/z9BYP4B///n///5/3/e/z///8////P///n/f/7/n/+zB9BJkiRJkuSRU6owDHc=',
  ].join(''),
  'base64',
);

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** A frame by hand: magic, flags, window, then blocks. */
const frame = (flags: string, ...blocks: string[]) => hex(`28b52ffd ${flags} ${blocks.join('')}`);
const block = (type: 0 | 1 | 2 | 3, size: number, last: boolean, content = '') => {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(last), 0, 3);
  return header.toString('hex') + content;
};
const plain = (text: string) => frame('00 58', block(0, text.length, true, Buffer.from(text).toString('hex')));

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function decoded(bytes: Uint8Array, coding?: string, size = 7): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decodeBody(inPieces(bytes, size), coding)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a body', () => {
  it.each([undefined, 'identity'])('without a coding (%s) is what it is', async (coding) => {
    expect((await decoded(Buffer.from(LINES), coding)).toString()).toBe(LINES);
  });

  it('in a coding that we do not take is refused', () => {
    for (const coding of ['br', 'gzip, gzip', 'constructor', '']) {
      expect(() => decodeBody(inPieces(Buffer.from(''), 1), coding)).toThrow(/content_encoding.unsupported/);
    }
  });

  it.each(['GZIP', 'x-gzip'])('in gzip may call it %s (RFC 9110 §8.4.1)', async (coding) => {
    expect((await decoded(gzipSync(LINES), coding)).toString()).toBe(LINES);
  });

  it.each([1, 7, 1_000, 100_000])('in gzip is decoded, in pieces of %i bytes', async (size) => {
    expect((await decoded(gzipSync(LINES), 'gzip', size)).toString()).toBe(LINES);
  });
});

describe('a body that grows a thousandfold', () => {
  const grownBytes = 20 * 1024 * 1024;
  /** Blocks of one byte that stands for 128 KiB. */
  const zeros = frame('00 58', ...Array.from({ length: 160 }, (_, i) => block(1, 128 * 1024, i === 159, '0a')));

  it.each([
    ['gzip', gzipSync(Buffer.alloc(grownBytes, '\n'))],
    ['zstd', zeros],
  ])('in %s is refused before it fills the disk', async (coding, bytes) => {
    await expect(decoded(bytes, coding, 1_000).then(({ length }) => length)).rejects.toMatchObject({
      code: 'batch.coding_broken',
      detail: 'the body grows to more than 100 times its size',
    });
  });

  it('is taken where it is small', async () => {
    expect((await decoded(gzipSync(Buffer.alloc(1_000_000, '\n')), 'gzip')).length).toBe(1_000_000);
  });
});

describe('zstd', () => {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  it.each([1, 3, 64, 1_024, 100_000])('is decoded, in pieces of %i bytes', async (size) => {
    expect(digest(await decoded(ZSTD_OF_LINES, 'zstd', size))).toBe(digest(Buffer.from(LINES)));
  });

  it('may be many frames, with others between that are to be skipped', async () => {
    const skippable = hex('5a2a4d18 03000000 010203');
    const body = Buffer.concat([plain('one '), skippable, plain('two '), ZSTD_OF_LINES, plain('three')]);
    expect((await decoded(body, 'zstd')).toString()).toBe(`one two ${LINES}three`);
  });

  it('that is cut anywhere but between frames is refused', async () => {
    const body = Buffer.concat([ZSTD_OF_LINES, plain('more')]);
    for (let end = 0; end < body.length; end++) {
      const whole = end === ZSTD_OF_LINES.length;
      const read = decoded(body.subarray(0, end), 'zstd', 50).then((bytes) => bytes.toString());
      if (whole) expect(await read).toBe(LINES);
      else await expect(read, `cut at ${end}`).rejects.toThrow(/batch.coding_broken/);
    }
  });

  const rle = block(1, 128 * 1024, false, '41');
  it.each<[what: string, body: Buffer, detail: RegExp]>([
    ['something else', Buffer.from('{"no":"zstd"}'), /not zstd/],
    ['more behind it', Buffer.concat([plain('x'), Buffer.from('more')]), /not zstd/],
    ['a window of 2 GiB', frame('00 a8', block(0, 0, true)), /8 MiB/],
    ['a window of a step more than 8 MiB', frame('00 69', block(0, 0, true)), /8 MiB/],
    ['one segment of 2^40 bytes', frame('e0 0000000000010000', block(0, 0, true)), /8 MiB/],
    ['one segment of 16 MiB', frame('a0 00000001', block(0, 0, true)), /8 MiB/],
    ['a dictionary', frame('01 58 07', block(0, 0, true)), /dictionary/],
    ['a reserved bit', frame('08 58', block(0, 0, true)), /not zstd/],
    ['a reserved kind of block', frame('00 58', block(3, 1, true, '00')), /not zstd/],
    ['a block of more than 128 KiB', frame('00 58', block(1, 128 * 1024 + 1, true, '41')), /not zstd/],
    ['a block that cannot be read', frame('00 58', block(2, 3, true, 'ffffff')), /not zstd/],
    ['nothing', Buffer.alloc(0), /not whole/],
  ])('with %s is refused', async (_what, body, detail) => {
    await expect(decoded(body, 'zstd', 5)).rejects.toThrow(detail);
  });

  it('that says much with little is counted while it is decoded, not afterwards', async () => {
    const bomb = frame('00 58', ...Array.from({ length: 20_000 }, () => rle), block(0, 0, true));
    let bytes = 0;
    const read = async () => {
      for await (const piece of decodeBody(inPieces(bomb, bomb.length), 'zstd')) bytes += piece.length;
    };
    await expect(read()).rejects.toThrow('100 times its size');
    expect(bytes).toBeLessThan(20 * 1024 * 1024);
  });
});
