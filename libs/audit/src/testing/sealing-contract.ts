import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CompactTree,
  leafHash,
  nodeCrypto,
  parseEntryBundle,
  parseTlogProof,
  splitHashes,
  tilePath,
  utf8,
  verifyCheckpoint,
  verifyTlogProof,
} from '#evidence';
import type { Shard } from '#kernel';
import { StoredInclusionProofs } from '../inclusion-proofs.js';
import { LogEntries } from '../log-entries.js';
import { Crash, crashing, interrupted, newSealer, newSigner, type SealingWorld, shardA, shardB, shardC } from './sealing-world.js';

const FILE_STEPS = ['writeTiles', 'writeAnchor', 'writeCheckpoint'];
const STORE_STEPS = ['append', 'publish'];

/** What a reader of the static files sees: every entry once, tiles that agree with the entries and with the signed root. */
async function expectWholeLog(world: SealingWorld, counts: readonly (readonly [Shard, number])[]): Promise<void> {
  const vkey = await newSealer(world).vkey();
  const checkpoint = await verifyCheckpoint(nodeCrypto, utf8.encode(world.files.checkpoint!), [vkey]);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  expect(checkpoint.size).toBe(BigInt(total));
  const entries = readBundles(world, total);
  const seen = entries.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as { shard: Shard; seq: string });
  for (const [shard, count] of counts) {
    const seqs = seen.filter((entry) => entry.shard === shard).map(({ seq }) => Number(seq));
    expect(seqs).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  }
  const tree = new CompactTree(nodeCrypto);
  for (const [i, entry] of entries.entries()) {
    const leaf = await leafHash(nodeCrypto, entry);
    expect(Buffer.from(leaf)).toEqual(Buffer.from(tileHash(world, total, i)));
    await tree.append(leaf);
  }
  expect(Buffer.from(await tree.root())).toEqual(Buffer.from(checkpoint.root));
  expect(world.files.anchor).toBe(world.files.checkpoint);
}

const widthAt = (total: number, tile: number) => Math.min(256, total - tile * 256);

function readBundles(world: SealingWorld, total: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(total / 256) }, (_, tile) => {
    const path = tilePath({ level: 'entries', index: BigInt(tile), width: widthAt(total, tile) });
    return parseEntryBundle(world.files.tiles.get(path)!);
  }).flat();
}

function tileHash(world: SealingWorld, total: number, index: number): Uint8Array {
  const tile = Math.floor(index / 256);
  return splitHashes(world.files.tiles.get(tilePath({ level: 0, index: BigInt(tile), width: widthAt(total, tile) }))!)[index % 256]!;
}

/** The same promises on memory and on PostgreSQL. */
export function describeSealing(name: string, open: () => Promise<SealingWorld>): void {
  describe(`sealing on ${name}`, () => {
    let world: SealingWorld;
    beforeEach(async () => (world = await open()));
    afterEach(() => world.close());

    it('seals what is there, then what comes, and nothing twice', async () => {
      const sealer = newSealer(world);
      await world.addFacts(shardA, 300);
      await world.addFacts(shardC, 2);
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 302, size: 302n });
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 0, size: 302n });
      await world.addFacts(shardB, 260);
      await world.addFacts(shardA, 1);
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 261, size: 563n });
      await expectWholeLog(world, [
        [shardA, 301],
        [shardB, 260],
        [shardC, 2],
      ]);
      expect(sealer.alarms).toEqual([]);
    });

    it('proves every sealed fact, and none that is not', async () => {
      await world.addFacts(shardA, 5);
      await world.addFacts(shardB, 300);
      await newSealer(world).sealOnce();
      await world.addFacts(shardA, 1);
      const vkey = await newSealer(world).vkey();
      const entries = new LogEntries(nodeCrypto, world.store, world.sources);
      const proofs = new StoredInclusionProofs(nodeCrypto, world.store, entries);
      for (const [shard, seq] of [
        [shardA, 1n],
        [shardA, 5n],
        [shardB, 1n],
        [shardB, 257n],
        [shardB, 300n],
      ] as const) {
        const found = await proofs.find(shard, seq);
        const proof = parseTlogProof(utf8.encode(found!.proof));
        await expect(verifyTlogProof(nodeCrypto, proof, proof.extra!, [vkey])).resolves.toMatchObject({ size: 305n });
        expect(JSON.parse(new TextDecoder().decode(proof.extra))).toMatchObject({ shard, seq: `${seq}` });
      }
      await expect(proofs.find(shardA, 6n)).resolves.toBeUndefined();
      await expect(proofs.find(shardC, 1n)).resolves.toBeUndefined();
    });

    it.each(['before', 'after'] as const)('a crash %s any step is healed by the next call of a fresh process', async (when) => {
      const counts = { [shardA]: 0, [shardB]: 0 };
      let crashes = 0;
      for (let nth = 1; nth <= 14; nth++) {
        counts[shardA] += 130;
        counts[shardB] += 7;
        await world.addFacts(shardA, 130);
        await world.addFacts(shardB, 7);
        const countdown = { left: 1 + (nth % 7) };
        const dying = newSealer(world, {
          store: crashing(world.store, STORE_STEPS, countdown, when),
          files: crashing(world.files, FILE_STEPS, countdown, when),
        });
        await dying.sealOnce().catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          crashes++;
        });
        if (nth % 2 === 0) await newSealer(world).sealOnce();
      }
      expect(crashes).toBeGreaterThan(6);
      await newSealer(world).sealOnce();
      await expectWholeLog(world, [
        [shardA, counts[shardA]!],
        [shardB, counts[shardB]!],
      ]);
    });

    it('two sealers and concurrent writers make one log', async () => {
      const sealers = [newSealer(world), newSealer(world), newSealer(world)];
      for (let round = 0; round < 6; round++) {
        const writing = Promise.all([
          world.addFacts(shardA, 20),
          world.addFacts(shardA, 30),
          world.addFacts(shardB, 25),
          world.addFacts(shardC, 1),
        ]);
        await Promise.all([writing, ...sealers.map((sealer) => sealer.sealOnce())]);
      }
      await newSealer(world).sealOnce();
      await expectWholeLog(world, [
        [shardA, 300],
        [shardB, 150],
        [shardC, 6],
      ]);
    });

    it('another sealer that publishes between any two reads is no alarm', async () => {
      const another = newSealer(world);
      let publishing = false;
      const publish = (work: Parameters<typeof world.store.publish>[0]) => {
        publishing = true;
        return world.store.publish(work).finally(() => (publishing = false));
      };
      const meanwhile = async () => {
        if (publishing) return;
        await world.addFacts(shardB, 1);
        await another.sealOnce();
      };
      const store = interrupted(world.store, ['open', 'lastCheckpoint', 'readBacklog'], meanwhile);
      const sealer = newSealer(world, {
        store: new Proxy(store, { get: (object, name) => (name === 'publish' ? publish : (Reflect.get(object, name) as unknown)) }),
        files: interrupted(world.files, ['readAnchor'], meanwhile),
      });
      for (let round = 0; round < 3; round++) await sealer.sealOnce();
      expect([...sealer.alarms, ...another.alarms]).toEqual([]);
      await expect(world.alarms.open()).resolves.toEqual([]);
    });

    it('a gap is an alarm, stops its shard and no other, and is never skipped', async () => {
      await world.addFacts(shardA, 10);
      await world.addFacts(shardB, 10);
      await world.removeFact(shardA, 4n);
      const sealer = newSealer(world);
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 13, size: 13n });
      await world.addFacts(shardA, 5);
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 0, size: 13n });
      expect(sealer.alarms).toEqual([`log.gap ${shardA}`]);
      await expect(world.alarms.open()).resolves.toEqual([{ code: 'log.gap', place: `${shardA}` }]);
    });

    it('a fact changed after it was sealed cannot be proved', async () => {
      await world.addFacts(shardA, 3);
      await newSealer(world).sealOnce();
      await world.removeFact(shardA, 2n);
      const proofs = new StoredInclusionProofs(nodeCrypto, world.store, new LogEntries(nodeCrypto, world.store, world.sources));
      await expect(proofs.find(shardA, 2n)).rejects.toMatchObject({ code: 'log.fact_altered' });
    });

    it('a folder that was lost comes back from the database, byte for byte, with nothing new to seal', async () => {
      await world.addFacts(shardA, 600);
      const sealer = newSealer(world);
      await sealer.sealOnce();
      const { checkpoint } = world.files;
      const before = new Map(world.files.tiles);
      world.files.tiles.clear();
      world.files.checkpoint = undefined;
      await expect(sealer.sealOnce()).resolves.toEqual({ sealed: 0, size: 600n });
      expect(new Map(world.files.tiles)).toEqual(before);
      expect(world.files.checkpoint).toBe(checkpoint);
    });

    it.each(['put back from a copy', 'of a worker that did not publish', 'altered'])('a folder %s is brought up to date', async (how) => {
      await world.addFacts(shardA, 300);
      await newSealer(world).sealOnce();
      const [tiles, checkpoint] = [new Map(world.files.tiles), world.files.checkpoint];
      await world.addFacts(shardB, 300);
      await newSealer(world).sealOnce();
      const stale = how === 'altered' ? checkpoint!.replace('\n300\n', '\n900\n') : checkpoint;
      world.files.tiles.clear();
      if (how !== 'altered') for (const [path, bytes] of tiles) world.files.tiles.set(path, bytes);
      world.files.checkpoint = stale;
      const more = how === 'put back from a copy' ? 0 : 40;
      if (more > 0) await world.addFacts(shardA, more);
      await newSealer(world).sealOnce();
      await expectWholeLog(world, [
        [shardA, 300 + more],
        [shardB, 300],
      ]);
    });

    it.each([
      ['of another origin', 'tallystick.test/other', 9],
      ['of the same origin with another history', 'tallystick.test/log', 9],
    ])('a database %s refuses to sign over this anchor', async (_what, origin, count) => {
      await world.addFacts(shardA, 3);
      await newSealer(world).sealOnce();
      const other = await open();
      try {
        await other.addFacts(shardB, count);
        await newSealer({ ...other, signer: world.signer }, {}, origin).sealOnce();
        const signed = other.files.checkpoint;
        other.files.anchor = world.files.anchor;
        await other.addFacts(shardB, count);
        const stranger = newSealer({ ...other, signer: world.signer }, {}, origin);
        await expect(stranger.sealOnce()).rejects.toMatchObject({ code: 'log.forked' });
        expect(stranger.alarms).toEqual(['log.forked']);
        expect(other.files.checkpoint).toBe(signed);
      } finally {
        await other.close();
      }
    });

    it('a missing or altered anchor refuses to sign', async () => {
      await world.addFacts(shardA, 3);
      await newSealer(world).sealOnce();
      const good = world.files.anchor!;
      world.files.anchor = undefined;
      await expect(newSealer(world).sealOnce()).rejects.toMatchObject({ code: 'log.anchor_missing' });
      world.files.anchor = good.replace('\n3\n', '\n2\n');
      await expect(newSealer(world).sealOnce()).rejects.toMatchObject({ code: 'log.anchor_invalid' });
      world.files.anchor = good;
      await expect(newSealer({ ...world, signer: newSigner() }).sealOnce()).rejects.toMatchObject({ code: 'log.anchor_invalid' });
      await expect(newSealer(world).sealOnce()).resolves.toEqual({ sealed: 0, size: 3n });
    });
  });
}
