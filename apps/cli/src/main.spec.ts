import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the commands that are offered are the files of commands/', () => {
  const [, list = ''] = /const COMMANDS = \[([^\]]*)\]/.exec(readFileSync('apps/cli/src/main.ts', 'utf8')) ?? [];
  const offered = [...list.matchAll(/'([a-z-]+)'/g)].map((match) => `${match[1]}.ts`);
  expect(offered.sort()).toEqual(readdirSync('apps/cli/src/commands').sort());
});
