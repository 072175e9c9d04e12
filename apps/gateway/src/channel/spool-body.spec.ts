import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { Spool } from '#platform';
import { memoryBytesMax, readWhole, type SpooledBody, spoolBody, takeSmallBody, WholeBody } from './spool-body.js';

const folder = mkdtempSync(path.join(tmpdir(), 'spool-'));
const spool = Spool.open({ SPOOL_DIR: folder, TALLYSTICK_HOME: '' });
afterAll(() => rmSync(folder, { recursive: true }));

const limit = { bytesMax: 1_000, code: 'body.too_large' };
const large = { bytesMax: 4 * memoryBytesMax, code: 'body.too_large' };
const sha512 = (bytes: Buffer) => createHash('sha512').update(bytes).digest();

/** What was taken, read to its end; the digests are those of what was sent. */
async function readBack(body: SpooledBody, sent: Buffer): Promise<boolean> {
  const read = await buffer(body.stream());
  await body.discard();
  return read.equals(sent) && body.sizeBytes === sent.length && sha512(sent).equals(Buffer.from(body.digests.get('sha-512')!));
}

describe.each([
  ['spooled', (...args: Parameters<typeof takeSmallBody>) => spoolBody(...args, spool)],
  ['said to be small', takeSmallBody],
])('a body that is %s', (_how, take) => {
  it.each([[['one']], [['in ', 'three', ' pieces']], [[]]])('is taken whole: %j', async (pieces) => {
    const sent = Buffer.from(pieces.join(''));
    expect(await readBack(await take(Readable.from(pieces.map((piece) => Buffer.from(piece))), ['sha-256', 'sha-512'], limit), sent)).toBe(
      true,
    );
  });

  it('is refused at the piece that is too much, and its stream still stands', async () => {
    const source = new PassThrough();
    source.write(Buffer.alloc(900));
    source.write(Buffer.alloc(101));
    await expect(take(source, ['sha-256'], limit)).rejects.toMatchObject({ kind: 'too_large', code: 'body.too_large' });
    expect(source.destroyed).toBe(false);
  });

  it('is refused where it ends before its end', async () => {
    const source = new PassThrough();
    source.write('half of');
    setImmediate(() => source.destroy());
    await expect(take(source, ['sha-256'], limit)).rejects.toThrow();
  });
});

it('a body beyond memory comes back from disk', async () => {
  const sent = Buffer.alloc(3 * memoryBytesMax, 'tally');
  expect(await readBack(await spoolBody(Readable.from([sent]), ['sha-512'], large, spool), sent)).toBe(true);
});

describe('a whole body', () => {
  it('is at hand, and a stream to whoever reads', async () => {
    const bytes = Buffer.from('at hand');
    const body = new WholeBody(bytes);
    expect(body.bytes).toBe(bytes);
    expect(await buffer(body)).toEqual(bytes);
    expect(await readWhole(new WholeBody(bytes), limit)).toEqual(bytes);
    await expect(readWhole(new WholeBody(Buffer.alloc(1_001)), limit)).rejects.toMatchObject({ code: 'body.too_large' });
  });
});
