import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('every command that has a file is offered', () => {
  const offered = readFileSync('apps/cli/src/main.ts', 'utf8');
  const files = readdirSync('apps/cli/src/commands').filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  expect(files.map((name) => name.slice(0, -3)).filter((name) => !offered.includes(`: '${name}',`))).toEqual([]);
});
