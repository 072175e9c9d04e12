import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicJwk, readManifest, verifyJws } from '#evidence';
import { openBatchFile, readBatchLines } from './batch-file.js';
import { writeFailedLines } from './failed-lines.js';
import type { LineOutcome } from './line-outcome.js';
import { lineBytesMax, splitLines } from './line-pieces.js';
import { saveOutcomes } from './save-outcomes.js';
import { writeBatch } from './write-batch.js';

let folder: string;
const pair = generateKeyPairSync('ed25519');
const seal = { iss: 'bank-a', key: { kid: 'bank-a-1', alg: 'EdDSA', privateKey: pair.privateKey } } as const;
const at = (name: string) => path.join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');
const refused = (line: number): LineOutcome => ({ line, outcome: 'REFUSED', code: 'link.unknown' });

beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'sdk-batches-'))));
afterAll(() => rmSync(folder, { recursive: true }));

async function* pieces<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

describe('a file of lines', () => {
  it('is written line by line, zipped or not, and read as it was written', async () => {
    expect(await writeBatch(at('plain'), ['a.b.c', Buffer.from('d'), { e: '𝄞\u2028' }])).toBe(3);
    expect(text('plain')).toBe('a.b.c\nd\n{"e":"𝄞\u2028"}\n');
    await writeBatch(at('zipped'), pieces('a.b.c', 'd', '{"e":"𝄞\u2028"}'), { gzip: true });
    expect(gunzipSync(readFileSync(at('zipped'))).toString()).toBe(text('plain'));
    expect(await openBatchFile(at('zipped'))).toMatchObject({ coding: 'gzip', sealed: false });
    const lines = await all(readBatchLines({ path: at('zipped'), coding: 'gzip' }));
    expect(lines.map(String)).toEqual(['a.b.c', 'd', '{"e":"𝄞\u2028"}']);
  });

  it('is under one seal: its count and the RFC 6962 root over its lines', async () => {
    await writeBatch(at('sealed'), pieces({ n: 1 }, { n: 2 }, { n: 3 }), { seal, gzip: true });
    expect(await openBatchFile(at('sealed'))).toMatchObject({ coding: 'gzip', sealed: true });
    const [manifest, ...lines] = (await all(readBatchLines({ path: at('sealed'), coding: 'gzip' }))) as [Buffer, ...Buffer[]];
    const key = {
      ...parsePublicJwk({ ...pair.publicKey.export({ format: 'jwk' }), kid: 'bank-a-1', alg: 'EdDSA' }),
      state: 'ACTIVE' as const,
    };
    const { value } = await verifyJws(manifest, 'record-batch+jwt', () => key);
    const { iss, count, root } = readManifest(value.payload);
    const [one, two, three] = lines.map((line) => sha256(Buffer.of(0), line)) as [Buffer, Buffer, Buffer];
    const expected = sha256(Buffer.of(1), sha256(Buffer.of(1), one, two), three);
    expect([iss, count, Buffer.from(root).toString('hex')]).toEqual(['bank-a', 3, expected.toString('hex')]);
  });

  it.each([
    ['batch.empty', []],
    ['batch.line_malformed', ['a', '']],
    ['batch.line_malformed', ['a\nb']],
    ['batch.line_malformed', ['a\r']],
    ['batch.line_too_long', ['x'.repeat(lineBytesMax + 1)]],
  ])('is refused as %s, and leaves nothing', async (code, lines) => {
    for (const options of [{}, { seal }]) {
      await expect(writeBatch(at('refused'), lines, options)).rejects.toMatchObject({ code });
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('that was not finished has no name', async () => {
    const dying = async function* () {
      yield 'a';
      await Promise.reject(new Error('the bank’s own trouble'));
    };
    await expect(writeBatch(at('dead'), dying())).rejects.toThrow('own trouble');
    expect(existsSync(at('dead'))).toBe(false);
  });

  it('is cut alike, wherever its pieces are cut', async () => {
    const whole = Buffer.from('one\r\n\ntwo\nthree');
    for (let cut = 0; cut <= whole.length; cut++) {
      const lines = await all(splitLines(pieces(whole.subarray(0, cut), whole.subarray(cut))));
      expect(lines.map(String)).toEqual(['one', '', 'two', 'three']);
    }
  });
});

describe('lines that were refused', () => {
  it('go into a batch of their own, repaired or left out, which is not the one before', async () => {
    writeFileSync(at('sent'), 'one\n\ntwo\r\nthree\nfour\n');
    const repair = (line: string) => (line === 'two' ? undefined : `${line}!`);
    expect(await writeFailedLines(at('sent'), pieces(refused(1), refused(3), refused(5)), at('again'), { repair })).toBe(2);
    expect(text('again')).toBe('\none!\nfour!\n');
    await writeFailedLines(at('again'), pieces(refused(2)), at('third'));
    expect(text('third')).toBe('\n\none!\n');
  });

  it('that were too long are left out', async () => {
    writeFileSync(at('long'), gzipSync(`${'x'.repeat(200_000)}\nshort\n`));
    await writeFailedLines(at('long'), pieces(refused(1), refused(2)), at('shorter'));
    expect(text('shorter')).toBe('\nshort\n');
  });

  it('of a sealed batch need a new seal', async () => {
    await writeBatch(at('night'), [{ n: 1 }, { n: 2 }], { seal });
    await expect(writeFailedLines(at('night'), pieces(refused(3)), at('morning'))).rejects.toMatchObject({ code: 'batch.seal_missing' });
    await writeFailedLines(at('night'), pieces(refused(3)), at('morning'), { seal });
    const [manifest, line] = text('morning').split('\n');
    expect([line, await openBatchFile(at('morning'))]).toEqual(['{"n":2}', expect.objectContaining({ sealed: true })]);
    expect(manifest).not.toBe(text('night').split('\n')[0]);
  });
});

describe('saved outcomes', () => {
  it('go on after what was saved, without the half line that a crash left', async () => {
    writeFileSync(at('errors.partial'), `${JSON.stringify(refused(1))}\n${JSON.stringify(refused(4))}\n{"line":5,"outc`);
    const asked: number[] = [];
    const saved = await saveOutcomes(at('errors'), (after) => {
      asked.push(after);
      return pieces([refused(5), refused(6)], [refused(9)]);
    });
    const lines = text('errors').trim().split('\n');
    expect([saved, asked, lines.map((line) => (JSON.parse(line) as LineOutcome).line)]).toEqual([5, [4], [1, 4, 5, 6, 9]]);
  });

  it('keep what came before the connection broke', async () => {
    const broken = async function* () {
      yield [refused(1)];
      await Promise.reject(new Error('broken'));
    };
    await expect(saveOutcomes(at('results'), broken)).rejects.toThrow('broken');
    const asked: number[] = [];
    await saveOutcomes(at('results'), (after) => (asked.push(after), pieces([refused(2)])));
    expect([asked, text('results').trim().split('\n')]).toEqual([[1], [1, 2].map((line) => JSON.stringify(refused(line)))]);
  });
});
