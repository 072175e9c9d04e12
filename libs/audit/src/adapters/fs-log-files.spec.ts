import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FsLogFiles } from './fs-log-files.js';

const AT = new Date('2026-11-22T12:00:00Z');
const TILE = { path: 'tile/0/000', bytes: Buffer.from('a tile') };
let home: string;
let log: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'log-files-'));
  log = path.join(home, 'log');
});
afterEach(() => rmSync(home, { recursive: true }));

const draftsBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.draft'));

it('a write that is killed leaves its draft where the sweep looks, and nothing in its place', async () => {
  // A folder of the tile's name: the draft is written, and cannot take its place.
  mkdirSync(path.join(log, TILE.path), { recursive: true });
  await expect(new FsLogFiles(home).writeTiles([TILE])).rejects.toThrow();
  expect(draftsBelow(home)).toHaveLength(1);
  expect(await new FsLogFiles(home).sweepDrafts(new Date(Date.now() + 2 * 3_600_000))).toBe(1);
  expect(draftsBelow(home)).toEqual([]);
});

it('drafts go an hour after they were last written to, in the log and beside the anchor, and nothing else goes', async () => {
  const files = new FsLogFiles(home);
  expect(await files.sweepDrafts(AT)).toBe(0);
  await files.writeTiles([TILE]);
  await files.writeCheckpoint('note');
  await files.writeAnchor('note');
  const written = (file: string, minutesAgo: number) => {
    writeFileSync(file, 'half');
    const at = new Date(AT.getTime() - minutesAgo * 60_000);
    utimesSync(file, at, at);
    return file;
  };
  const old = [written(path.join(log, '000.x.draft'), 61), written(path.join(home, 'log-anchor', 'checkpoint.x.draft'), 61)];
  const underWay = written(path.join(log, '001.y.draft'), 59);
  const notOurs = written(path.join(log, 'notes'), 10_000);
  expect(await files.sweepDrafts(AT)).toBe(2);
  expect(old.map((file) => existsSync(file))).toEqual([false, false]);
  const kept = [underWay, notOurs, ...[TILE.path, 'checkpoint', '../log-anchor/checkpoint'].map((name) => path.join(log, name))];
  expect(kept.map((file) => existsSync(file))).toEqual(kept.map(() => true));
});
