import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptAnswer } from './kept-answer.js';

const FDS = '/proc/self/fd';
let home: string;
beforeEach(() => void (home = mkdtempSync(path.join(tmpdir(), 'kept-'))));
afterEach(() => rmSync(home, { recursive: true }));

async function* pieces() {
  yield Buffer.from('an answer ');
  yield Buffer.from('of any size');
}

async function textOf(kept: KeptAnswer): Promise<string> {
  const read: Buffer[] = [];
  for await (const piece of kept.read()) read.push(piece);
  return Buffer.concat(read).toString();
}

/** Files of this process below a folder; one without a name is shown with the name that it had. */
const openBelow = (folder: string) =>
  readdirSync(FDS).filter((fd) => {
    try {
      return readlinkSync(path.join(FDS, fd)).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  }).length;

describe.runIf(existsSync(FDS))('an answer that is kept', () => {
  it('lies in the folder that its caller chose, which is only ours, under no name', async () => {
    const folder = path.join(home, 'spool', 'bank');
    const kept = await KeptAnswer.take(pieces(), folder);
    expect([openBelow(folder), readdirSync(folder), statSync(folder).mode & 0o777]).toEqual([1, [], 0o700]);
    expect(await textOf(kept)).toBe('an answer of any size');
    expect(kept.digest.get('sha-256')).toEqual(createHash('sha256').update('an answer of any size').digest());
    await kept.discard();
    expect(openBelow(folder)).toBe(0);
  });

  it('leaves no file open where it breaks off', async () => {
    async function* broken() {
      yield* pieces();
      throw new Error('cut');
    }
    await expect(KeptAnswer.take(broken(), home)).rejects.toThrow('cut');
    expect([openBelow(home), readdirSync(home)]).toEqual([0, []]);
  });
});
