import { describe, expect, it } from 'vitest';
import { LineSplitter, pagesOf, workAhead } from './split-lines.js';

const MIB = 1024 * 1024;
const splitter = (lineBytesMax = 100) => new LineSplitter({ firstLine: 1, firstByte: 0, lineBytesMax });
const told = (lines: ReturnType<LineSplitter['push']>) =>
  lines.map(({ line, bytes, nextByte }) => [line, bytes && Buffer.from(bytes).toString(), nextByte]);

describe('lines', () => {
  const text = `one\n\ntwo\r\n${'x'.repeat(100)}\n${'y'.repeat(101)}\n${'z'.repeat(100)}\r\n\r\nlast`;
  const wanted = [
    [1, 'one', 4],
    [3, 'two', 10],
    [4, 'x'.repeat(100), 111],
    [5, undefined, 213],
    [6, 'z'.repeat(100), 315],
    [8, 'last', 321],
  ];

  it.each([1, 2, 3, 7, 99, 1_000])('are the same in pieces of %i bytes', (size) => {
    const split = splitter();
    const found: unknown[] = [];
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) found.push(...told(split.push(bytes.subarray(at, at + size))));
    expect([...found, ...told(split.end())]).toEqual(wanted);
  });

  it('of gigabytes are one line without bytes, and the next one is read', () => {
    const split = splitter();
    const piece = Buffer.alloc(4 * MIB, 'x');
    for (let i = 0; i < 512; i++) expect(split.push(piece)).toEqual([]);
    expect(told(split.push(Buffer.from('\nnext\n')))).toEqual([
      [1, undefined, 2_048 * MIB + 1],
      [2, 'next', 2_048 * MIB + 6],
    ]);
  });

  it('by the million are counted', () => {
    const split = splitter();
    const piece = Buffer.from('x\n'.repeat(10_000));
    let last = 0;
    for (let i = 0; i < 100; i++) last = split.push(piece).at(-1)!.line;
    expect(last).toBe(1_000_000);
  });
});

describe('work ahead', () => {
  async function* numbers(count: number) {
    for (let i = 0; i < count; i++) yield await Promise.resolve(i);
  }

  it('is begun for no more than so many, and answered in order', async () => {
    let begun = 0;
    let answered = 0;
    const doubles = workAhead(numbers(20), 3, async (n) => {
      expect(++begun - answered).toBeLessThanOrEqual(4);
      return await Promise.resolve(2 * n);
    });
    for await (const double of doubles) expect(double).toBe(2 * answered++);
    expect([begun, answered]).toEqual([20, 20]);
  });

  it('fails when it is its turn, not before', async () => {
    const seen: number[] = [];
    const work = workAhead(numbers(5), 3, (n) => (n === 2 ? Promise.reject(new Error('broken')) : Promise.resolve(n)));
    const all = async () => {
      for await (const n of work) seen.push(n);
    };
    await expect(all()).rejects.toThrow('broken');
    expect(seen).toEqual([0, 1]);
  });

  it('takes pages as they are', async () => {
    const pages: number[][] = [];
    for await (const page of pagesOf(numbers(7), 3)) pages.push(page);
    expect(pages).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });
});
