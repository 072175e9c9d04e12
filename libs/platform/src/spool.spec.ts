import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseConfig } from './config.js';
import { Spool } from './spool.js';

const home = mkdtempSync(path.join(tmpdir(), 'spool-'));
const folder = path.join(home, 'spool');
const open = () => Spool.open(parseConfig({ TALLYSTICK_HOME: home }));
afterAll(() => rmSync(home, { recursive: true }));

it('a file without a name is nobody else’s, and ends with its handle', async () => {
  const handle = await open().file();
  await handle.writeFile('one');
  await handle.writeFile('two');
  const { nlink, mode } = await handle.stat();
  expect([nlink, mode & 0o777, statSync(folder).mode & 0o777, readdirSync(folder)]).toEqual([0, 0o600, 0o700, []]);
  const pieces: Buffer[] = [];
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString()).toBe('onetwo');
  await handle.close();
});

it('what a process left behind that was killed before the name was gone is swept at the next start, and nothing else', () => {
  const names = ['spooled-old', 'spooled-young', 'theirs'];
  for (const name of names) writeFileSync(path.join(folder, name), 'x');
  for (const name of ['spooled-old', 'theirs']) utimesSync(path.join(folder, name), new Date(0), new Date(0));
  open();
  expect(readdirSync(folder)).toEqual(['spooled-young', 'theirs']);
});

it('is where SPOOL_DIR says', () => {
  const SPOOL_DIR = path.join(home, 'elsewhere', 'deep');
  Spool.open(parseConfig({ SPOOL_DIR }));
  expect(statSync(SPOOL_DIR).isDirectory()).toBe(true);
});

it('is its owner’s alone, also where the folder was there before', () => {
  const SPOOL_DIR = path.join(home, 'lax');
  mkdirSync(SPOOL_DIR, { mode: 0o755 });
  Spool.open(parseConfig({ SPOOL_DIR }));
  expect(statSync(SPOOL_DIR).mode & 0o777).toBe(0o700);
});
