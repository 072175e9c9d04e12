import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GrowingTree, leafHash, nodeCrypto, Prover, TileNodes, verifyInclusion } from '#evidence';
import { HashFiles, HashFilesWriter, removeHashFiles } from './hash-files.js';
import { LineThreads } from './line-threads.js';
import { faultsToldMax } from '../batch/line-faults.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hashes-'));
const threads = new LineThreads(2);
afterAll(async () => {
  await threads.close();
  rmSync(folder, { recursive: true });
});

/** Short and long ones, and such as begin with what a leaf or a node begins with. */
const lineOf = (i: number) => Buffer.from(i % 7 === 0 ? `\u0000${i}`.repeat(i % 700) : `\u0001line ${i}`);

describe('the hashes over a sealed batch', () => {
  it.each([1, 255, 256, 257, 511, 512, 4_096, 9_000])('of %i lines, made on threads, are those of RFC 6962', async (count) => {
    const lines = Array.from({ length: count }, (_, i) => lineOf(i));
    const base = path.join(folder, String(count));
    const writer = new HashFilesWriter(base, threads);
    for (let at = 0; at < count; at += 97) await writer.append(lines.slice(at, at + 97), 'bank-a');
    const written = await writer.finish('bank-a');
    await writer.close();
    const tree = GrowingTree.restore(nodeCrypto, 0n, []);
    await tree.append(await Promise.all(lines.map((line) => leafHash(nodeCrypto, line))));
    expect([written.count, [...written.root]]).toEqual([count, [...(await tree.root())]]);
    const prover = new Prover(nodeCrypto, new TileNodes(nodeCrypto, new HashFiles(base)));
    for (const i of [0, Math.floor(count / 2), count - 1]) {
      const proof = { index: BigInt(i), size: BigInt(count), root: written.root };
      const path = await prover.inclusion(BigInt(i), BigInt(count));
      await verifyInclusion(nodeCrypto, { ...proof, leaf: await leafHash(nodeCrypto, lines[i]!), path });
    }
    await removeHashFiles(base, count);
    expect(readdirSync(folder)).toEqual([]);
    expect([written.faults.count, written.faults.first.at(-1)!.line]).toEqual([count, Math.min(count, faultsToldMax) + 1]);
  });

  it('fail where a thread ends, and leave nothing open', async () => {
    const writer = new HashFilesWriter(path.join(folder, 'ended'), threads);
    await writer.append(
      Array.from({ length: 4_096 }, (_, i) => lineOf(i)),
      'bank-a',
    );
    await threads.close();
    await expect(writer.finish('bank-a')).rejects.toThrow('the thread ended');
    await writer.close();
    await removeHashFiles(path.join(folder, 'ended'), 4_096);
  });
});
