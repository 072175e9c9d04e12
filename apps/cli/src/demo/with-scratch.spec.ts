import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withScratch } from './with-scratch.js';

let home: string;
beforeEach(() => void (home = mkdtempSync(path.join(tmpdir(), 'scratch-'))));
afterEach(() => rmSync(home, { recursive: true }));

it('is only its owner’s, and gone when its use is over', async () => {
  const folder = await withScratch('spec-', (scratch) => {
    writeFileSync(path.join(scratch, 'day.tallystick'), 'about people');
    expect(statSync(scratch).mode & 0o777).toBe(0o700);
    return scratch;
  });
  expect(existsSync(folder)).toBe(false);
});

it('is gone where its use failed, or what is undone before', async () => {
  const fail = (scratch: string) => {
    throw new Error(scratch);
  };
  const folder = (await withScratch('spec-', fail).catch((error: unknown) => (error as Error).message)) as string;
  expect(existsSync(folder)).toBe(false);
  const reset = () => {
    throw new Error('reset');
  };
  await expect(withScratch('spec-', () => undefined, reset)).rejects.toThrow('reset');
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is gone when its process is told to end: %s', async (signal) => {
  const program = `
    import { writeFileSync } from 'node:fs';
    const { withScratch } = await import('${pathToFileURL(path.resolve('apps/cli/src/demo/with-scratch.ts'))}');
    const rest = () => new Promise((resolve) => setTimeout(resolve, 60_000));
    await withScratch('outer-', () => withScratch('inner-', (folder) => {
      writeFileSync(folder + '/day.tallystick', 'about people');
      console.log('ready');
      return rest();
    }), () => writeFileSync('${home}/undone', ''));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, TMPDIR: home } });
  await once(child.stdout, 'data');
  expect(readdirSync(home)).toHaveLength(2);
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number];
  expect([code > 128, readdirSync(home)]).toEqual([true, ['undone']]);
});
