import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CryptoPort,
  exportKeyName,
  type ExportFilter,
  memoryReader,
  nodeCrypto,
  type Signer,
  utf8,
  verifyBundle,
  type Vkey,
  vkeyOf,
  webCrypto,
} from '#evidence';
import { Exports, type ExportStore } from '../exports.js';
import { LogEntries } from '../log-entries.js';
import { type BundleFiles, ExportRunner } from '../run-export.js';
import { Crash, crashing, newSealer, newSigner, type SealingWorld, shardA, shardB, shardC } from './sealing-world.js';

export interface ExportWorld extends SealingWorld {
  readonly requests: ExportStore;
  readonly bundleFiles: BundleFiles;
  readBundle(name: string): Promise<Uint8Array>;
}

const AT = new Date('2026-11-21T12:00:00.000Z');
const RANDOM = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

/** The promises of exports, on memory and on PostgreSQL with files. */
export function describeExports(name: string, open: () => Promise<ExportWorld>): void {
  describe(`exports on ${name}`, () => {
    let world: ExportWorld;
    let signer: Signer;
    let trusted: Vkey[];

    beforeEach(async () => {
      world = await open();
      signer = newSigner();
      const log = await newSealer(world).vkey();
      trusted = [log, await vkeyOf(nodeCrypto, exportKeyName(log.name), signer)];
      await world.addFacts(shardA, 300);
      await world.addFacts(shardB, 40);
      await newSealer(world).sealOnce();
    });
    afterEach(() => world.close());

    function newRunner(requests = world.requests): ExportRunner {
      return new ExportRunner({
        crypto: nodeCrypto,
        exports: new Exports(requests),
        requests,
        log: world.store,
        entries: new LogEntries(nodeCrypto, world.store, world.sources),
        files: world.bundleFiles,
        signer,
        logKey: () => newSealer(world).vkey(),
        pause: () => Promise.resolve(),
      });
    }

    async function request(filter: ExportFilter): Promise<string> {
      const id = await new Exports(world.requests).request(filter, 'acc-1', AT, RANDOM);
      await newSealer(world).sealOnce();
      return id;
    }

    async function exportOf(filter: ExportFilter): Promise<Uint8Array> {
      return world.readBundle(await newRunner().run(await request(filter)));
    }

    const verify = (bundle: Uint8Array, crypto: CryptoPort = nodeCrypto) => verifyBundle(memoryReader(bundle), crypto, trusted);

    it('an export of everything verifies, on Node and on WebCrypto', async () => {
      const bundle = await exportOf({});
      await expect(verify(bundle)).resolves.toMatchObject({ start: 0n, excluded: 0n });
      const report = await verify(bundle, webCrypto);
      expect(report.included).toBeGreaterThanOrEqual(340n);
      expect(report.checkpoint.size).toBe(report.end);
    });

    it('a filter shows what it asks for and leaves the rest as hashes', async () => {
      await world.addFacts(shardC, 3);
      const bundle = await exportOf({ kinds: ['nothing.like.it'] });
      await expect(verify(bundle)).resolves.toMatchObject({ included: 0n, excluded: expect.any(BigInt) as bigint });
      const text = new TextDecoder().decode(bundle);
      expect(text).not.toContain('test.happened"');
      expect(text).toContain('tallystick verify');
    });

    it('a time without facts gives an empty bundle that verifies', async () => {
      const bundle = await exportOf({ from: '2001-01-01T00:00:00.000Z', to: '2001-01-02T00:00:00.000Z' });
      await expect(verify(bundle)).resolves.toMatchObject({ included: 0n, excluded: 0n });
    });

    it('a stranger’s keys and keys of another name do not verify it', async () => {
      const bundle = await exportOf({});
      const [log, own] = trusted as [Vkey, Vkey];
      const stranger = newSigner();
      const cases: [Vkey[], string][] = [
        [[], 'bundle.manifest_invalid'],
        [[log], 'bundle.manifest_invalid'],
        [[own], 'bundle.checkpoint_invalid'],
        [[log, await vkeyOf(nodeCrypto, own.name, stranger)], 'bundle.manifest_invalid'],
        [[await vkeyOf(nodeCrypto, log.name, stranger), own], 'bundle.checkpoint_invalid'],
      ];
      for (const [keys, code] of cases) {
        await expect(verifyBundle(memoryReader(bundle), nodeCrypto, keys)).rejects.toMatchObject({ code });
      }
    });

    it('any flipped byte is refused, by the name of the entry or of the part', async () => {
      const bundle = await exportOf({});
      const places = partPlaces(bundle);
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: bundle.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
          await expectRefused(bundle, at, mask, places);
        }),
        { numRuns: 250 },
      );
      // Every byte of everything but the bulk, and every byte of the first entries.
      const lines = places.find(({ name }) => name === 'entries.ndjson')!;
      for (let at = lines.from; at < lines.from + 600; at++) await expectRefused(bundle, at, 1, places);
      for (let at = lines.to; at < bundle.length; at += 3) await expectRefused(bundle, at, 1 + (at % 255), places);
    }, 120_000);

    async function expectRefused(bundle: Uint8Array, at: number, mask: number, places: ReturnType<typeof partPlaces>): Promise<void> {
      const changed = Uint8Array.from(bundle);
      changed[at]! ^= mask;
      const error: unknown = await verify(changed).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const place = places.find(({ from, to }) => from <= at && at < to)?.name;
      expect(error, `byte ${at} of ${place ?? 'a header'} xor ${mask}`).toMatchObject({
        name: 'Refusal',
        hints: { extra: { part: expect.any(String) as string } },
      });
      const { part, line } = (error as { hints: { extra: { part: string; line?: number } } }).hints.extra;
      if (place === 'entries.ndjson') expect({ part, line }).toEqual({ part: place, line: lineAt(bundle, places, at) });
      else if (place === 'leaves.bin') expect(['leaves.bin', 'entries.ndjson']).toContain(part);
      else if (place === 'manifest.json' || place === 'manifest.jws') expect(['manifest.json', 'manifest.jws']).toContain(part);
      else if (place !== undefined) expect(part).toBe(place);
    }

    it('left out, moved, added and doubled lines are refused', async () => {
      const bundle = await exportOf({});
      const lines = partPlaces(bundle).find(({ name }) => name === 'entries.ndjson')!;
      const text = new TextDecoder().decode(bundle.subarray(lines.from, lines.to)).split('\n');
      const swapped = [...text];
      [swapped[0], swapped[1]] = [text[1]!, text[0]!];
      const changed = Uint8Array.from(bundle);
      changed.set(utf8.encode(swapped.join('\n')), lines.from);
      await expect(verify(changed)).rejects.toMatchObject({ code: 'bundle.entry_altered' });
      await expect(verify(bundle.subarray(0, bundle.length - 512))).rejects.toMatchObject({ code: 'bundle.malformed' });
      await expect(verify(new Uint8Array([...bundle, 0]))).rejects.toMatchObject({ code: 'bundle.malformed' });
    });

    it('a run that dies anywhere is taken up and writes the same bytes', async () => {
      const id = await request({});
      for (const when of ['before', 'after'] as const) {
        for (const step of ['begin', 'saveProgress', 'finish']) {
          const dying = newRunner(crashing(world.requests, [step], { left: 1 }, when));
          await expect(
            dying.run(id).catch((error: unknown) => (error instanceof Crash ? 'crash' : Promise.reject(error as Error))),
          ).resolves.toBeDefined();
        }
      }
      const first = await world.readBundle(await newRunner().run(id));
      await expect(verify(first)).resolves.toMatchObject({ excluded: 0n });
      await expect(world.requests.outstanding()).resolves.toEqual([]);
    });

    it('a fact altered in the database fails the export by its name', async () => {
      const id = await request({});
      await world.removeFact(shardA, 17n);
      await expect(newRunner().run(id)).rejects.toMatchObject({ code: 'log.fact_altered', hints: { extra: { fact: 'fct_017' } } });
      await expect(world.requests.find(id)).resolves.toMatchObject({ state: 'FAILED' });
    });
  });
}

/** Where the content of each part stands, read with no code of ours: tar headers by the book. */
function partPlaces(bundle: Uint8Array): { name: string; from: number; to: number }[] {
  const places: { name: string; from: number; to: number }[] = [];
  const text = (from: number, length: number) => new TextDecoder().decode(bundle.subarray(from, from + length)).replace(/\0.*$/s, '');
  for (let at = 0; bundle[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    places.push({ name: text(at, 100), from: at + 512, to: at + 512 + size });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return places;
}

function lineAt(bundle: Uint8Array, places: ReturnType<typeof partPlaces>, at: number): number {
  const { from } = places.find(({ name }) => name === 'entries.ndjson')!;
  return bundle.subarray(from, at).filter((byte) => byte === 10).length + 1;
}
