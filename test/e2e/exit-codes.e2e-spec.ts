import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const CLI = path.resolve('dist/apps/cli/src/main.js');

/** The built command as a script runs it, with no installation around. */
function tallystick(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: {} }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe.skipIf(!existsSync(CLI))('what a script is told (skipped where nothing is built)', () => {
  it.concurrent.each([
    ['policy schema', 0, /^$/],
    ['staff --help', 0, /^$/],
    ['policy lint /no/such.json', 1, /^\nthere is no \/no\/such\.json\n$/],
    ['staff list', 1, /^\nno installation is running here: .*\n$/],
    ['nonsense', 2, /^error: unknown command 'nonsense'\n/],
    ['staff list --nonsense', 2, /^error: unknown option '--nonsense'\n/],
    ['staff add ann --role', 2, /^error: option '--role <role>' argument missing\n/],
  ])('%s: %i', async (line, code, told) => {
    const ended = await tallystick(...line.split(' '));
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(told)]);
    expect(ended.stdout === '').toBe(code !== 0);
    expect(ended.stderr.split('\n').length).toBeLessThan(5);
  });
});
