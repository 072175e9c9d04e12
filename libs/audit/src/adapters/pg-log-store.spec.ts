import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCheckpoint, parseNote } from '#evidence';
import { pgWorld } from '../testing/pg-sealing-world.js';
import { describeSealing } from '../testing/sealing-contract.js';
import { newSealer, shardA, shardB } from '../testing/sealing-world.js';
import { FsLogFiles } from './fs-log-files.js';

describeSealing('PostgreSQL', pgWorld);

describe('what the application role may not do', () => {
  let world: Awaited<ReturnType<typeof pgWorld>>;
  beforeAll(async () => (world = await pgWorld()));
  afterAll(() => world.close());

  it.each(['log_segments', 'log_nodes', 'log_checkpoints'])('change or remove rows of %s', async (table) => {
    await expect(world.database.query(`DELETE FROM ${table}`)).rejects.toThrow(/permission denied/);
    await expect(world.database.query(`TRUNCATE ${table}`)).rejects.toThrow(/permission denied/);
    const column = { log_segments: 'count = 1', log_nodes: 'level = 1', log_checkpoints: "note = ''" }[table];
    await expect(world.database.query(`UPDATE ${table} SET ${column}`)).rejects.toThrow(/permission denied/);
  });
});

describe('alarms', () => {
  it('tell how many entries must come back, the most that any worker missed, until they are cleared', async () => {
    const world = await pgWorld();
    try {
      const missed = (entriesMin?: bigint) => world.alarms.raise({ code: 'log.rolled_back', place: '', entriesMin }, 'older');
      await missed(8n);
      await missed(5n);
      await expect(world.alarms.open()).resolves.toEqual([{ code: 'log.rolled_back', place: '', entriesMin: 8n }]);
      await world.alarms.clear('log.rolled_back', '');
      await expect(world.alarms.open()).resolves.toEqual([]);
      await missed(5n);
      await expect(world.alarms.open()).resolves.toEqual([{ code: 'log.rolled_back', place: '', entriesMin: 5n }]);
    } finally {
      await world.close();
    }
  });
});

describe('the range of a time', () => {
  it('holds every fact of that time, and nothing when there is none', async () => {
    const world = await pgWorld();
    try {
      const sealer = newSealer(world);
      await world.addFacts(shardA, 3);
      await sealer.sealOnce();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await world.addFacts(shardB, 2);
      await world.addFacts(shardA, 2);
      await sealer.sealOnce();
      const [{ at } = { at: new Date() }] = await world.database.query<{ at: Date }>('SELECT min(at) AS at FROM facts WHERE shard = $1', [
        shardB,
      ]);
      await expect(world.store.findRange(at, undefined)).resolves.toEqual({ start: 3n, end: 7n });
      await expect(world.store.findRange(undefined, at)).resolves.toEqual({ start: 0n, end: 3n });
      await expect(world.store.findRange(undefined, undefined)).resolves.toEqual({ start: 0n, end: 7n });
      await expect(world.store.findRange(new Date('2000-01-01'), new Date('2000-01-02'))).resolves.toEqual({ start: 0n, end: 0n });
    } finally {
      await world.close();
    }
  });
});

describe('the static files', () => {
  it('stand where c2sp.org/tlog-tiles says; a full tile replaces its partial ones; no draft stays', async () => {
    const [world, home] = [await pgWorld(), mkdtempSync(path.join(tmpdir(), 'tallystick-log-'))];
    try {
      const sealer = newSealer(world, { files: new FsLogFiles(home) });
      await world.addFacts(shardA, 100);
      await sealer.sealOnce();
      expect(readFileSync(path.join(home, 'log/tile/0/000.p/100'))).toHaveLength(3200);
      await world.addFacts(shardA, 200);
      await sealer.sealOnce();
      expect(readFileSync(path.join(home, 'log/tile/0/000'))).toHaveLength(8192);
      expect(existsSync(path.join(home, 'log/tile/0/000.p'))).toBe(false);
      expect(readFileSync(path.join(home, 'log/tile/1/000.p/1'))).toHaveLength(32);
      expect(existsSync(path.join(home, 'log/tile/entries/001.p/44'))).toBe(true);
      const checkpoint = readFileSync(path.join(home, 'log/checkpoint'));
      expect(parseCheckpoint(parseNote(checkpoint).text).size).toBe(300n);
      expect(readFileSync(path.join(home, 'log-anchor/checkpoint'))).toEqual(checkpoint);
    } finally {
      await world.close();
      rmSync(home, { recursive: true });
    }
  });
});
