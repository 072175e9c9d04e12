import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Exports } from '../exports.js';
import { describeExports } from '../testing/export-contract.js';
import { pgWorld } from '../testing/pg-sealing-world.js';
import { newSealer, shardA } from '../testing/sealing-world.js';
import { FsBundleFiles } from './fs-bundle-files.js';
import { PgExportStore } from './pg-export-store.js';

async function openWorld() {
  const [world, folder] = [await pgWorld(), mkdtempSync(path.join(tmpdir(), 'tallystick-exports-'))];
  const bundleFiles = new FsBundleFiles(folder);
  const close = async () => {
    await world.close();
    rmSync(folder, { recursive: true });
  };
  return {
    ...world,
    requests: new PgExportStore(world.database),
    bundleFiles,
    readBundle: (name: string) => readFile(bundleFiles.path(name)),
    close,
  };
}

describeExports('PostgreSQL', openWorld);

describe('what an export must cover', () => {
  it('is every fact committed before the request, and its own request, but nothing of a later time', async () => {
    const world = await openWorld();
    try {
      await world.addFacts(shardA, 2);
      const exports = new Exports(world.requests);
      const everything = await exports.request({}, 'acc-1', new Date(), new Uint8Array(10).fill(1));
      const past = await exports.request({ to: '2001-01-01T00:00:00.000Z' }, 'acc-1', new Date(), new Uint8Array(10).fill(2));
      await expect(world.requests.isCovered(everything)).resolves.toBe(false);
      await newSealer(world).sealOnce();
      await expect(world.requests.isCovered(everything)).resolves.toBe(true);
      await world.addFacts(shardA, 2);
      await expect(world.requests.isCovered(everything)).resolves.toBe(true);
      await expect(world.requests.isCovered(past)).resolves.toBe(true);
      await expect(exports.outstanding()).resolves.toEqual([everything, past]);
    } finally {
      await world.close();
    }
  });
});
