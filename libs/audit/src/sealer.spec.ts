import { describe, expect, it } from 'vitest';
import { MemoryLogFiles } from './testing/memory-log.js';
import { describeSealing } from './testing/sealing-contract.js';
import { memoryWorld, newSealer, shardA } from './testing/sealing-world.js';

describeSealing('memory', () => Promise.resolve(memoryWorld()));

/** Three facts are in the database, but a checkpoint over eight was signed. */
async function rolledBack() {
  const world = memoryWorld();
  await world.addFacts(shardA, 3);
  await newSealer(world).sealOnce();
  const restore = world.store.snapshot();
  await world.addFacts(shardA, 5);
  await newSealer(world).sealOnce();
  const recover = world.store.snapshot();
  restore();
  return { world, recover };
}

describe('a database restored from a backup', () => {
  it('is refused while it is older, also after new facts made it diverge, and nothing is appended to it', async () => {
    const { world } = await rolledBack();
    const signed = world.files.checkpoint;
    const sealer = newSealer(world);
    await expect(sealer.sealOnce()).rejects.toMatchObject({ code: 'log.rolled_back' });
    expect(sealer.alarms).toEqual(['log.rolled_back']);
    await expect(world.store.open('x')).resolves.toMatchObject({ size: 3n });
    expect(world.files.checkpoint).toBe(signed);
  });

  it('takes no more facts once that was seen, and does again when it is recovered', async () => {
    const { world, recover } = await rolledBack();
    for (let round = 0; round < 2; round++) {
      await expect(newSealer(world).sealOnce()).rejects.toMatchObject({ code: 'log.rolled_back' });
      await expect(world.addFacts(shardA, 1)).rejects.toMatchObject({ code: 'log.rolled_back' });
    }
    recover();
    await expect(newSealer(world).sealOnce()).resolves.toMatchObject({ size: 8n });
    await world.addFacts(shardA, 1);
    await expect(newSealer(world).sealOnce()).resolves.toMatchObject({ sealed: 1, size: 9n });
  });

  it('takes facts again when any worker sees it recovered, also where the one that stopped it is dead (2026-11-23)', async () => {
    const { world, recover } = await rolledBack();
    const other = newSealer(world);
    const rollBackAgain = world.store.snapshot();
    recover();
    await other.sealOnce();
    rollBackAgain();
    await expect(newSealer(world).sealOnce()).rejects.toMatchObject({ code: 'log.rolled_back' });
    recover();
    await expect(other.sealOnce()).resolves.toMatchObject({ size: 8n });
    expect([other.alarms, await world.alarms.open()]).toEqual([[], []]);
    await world.addFacts(shardA, 1);
  });

  it('is no alarm any more when a shard that was behind its seal is not', async () => {
    const { facts, ...world } = memoryWorld();
    await world.addFacts(shardA, 3);
    const sealer = newSealer(world);
    await sealer.sealOnce();
    facts.heads.set(shardA, 2n);
    await sealer.sealOnce();
    expect(sealer.alarms).toEqual([`log.rolled_back ${shardA}`]);
    facts.heads.set(shardA, 3n);
    await sealer.sealOnce();
    expect(sealer.alarms).toEqual([]);
  });

  it('stands while one worker has lost its own anchor, whatever another finds, and is raised once', async () => {
    const world = memoryWorld();
    await world.addFacts(shardA, 3);
    const good = newSealer(world);
    await good.sealOnce();
    const files = new MemoryLogFiles();
    const lost = newSealer(world, { files });
    let raised = 0;
    const raise = world.alarms.raise.bind(world.alarms);
    world.alarms.raise = (alarm, detail) => {
      raised++;
      return raise(alarm, detail);
    };
    for (let round = 0; round < 3; round++) {
      await expect(lost.sealOnce()).rejects.toMatchObject({ code: 'log.anchor_missing' });
      await good.sealOnce();
      expect([good.alarms, lost.alarms, raised]).toEqual([['log.anchor_missing'], ['log.anchor_missing'], 1]);
    }
    files.anchor = world.files.anchor;
    await lost.sealOnce();
    expect([lost.alarms, await world.alarms.open()]).toEqual([[], []]);
  });

  it('stays stopped for a worker whose own anchor is older than what is missing', async () => {
    const { world, recover } = await rolledBack();
    const files = new MemoryLogFiles();
    files.anchor = (await world.store.lastCheckpoint())!.note;
    await expect(newSealer(world).sealOnce()).rejects.toMatchObject({ code: 'log.rolled_back' });
    const other = newSealer(world, { files });
    await expect(other.sealOnce()).rejects.toMatchObject({ code: 'log.rolled_back' });
    await expect(world.addFacts(shardA, 1)).rejects.toMatchObject({ code: 'log.rolled_back' });
    recover();
    await other.sealOnce();
    await world.addFacts(shardA, 1);
  });
});
