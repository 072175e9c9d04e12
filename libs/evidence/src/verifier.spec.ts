import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** What a file imports at run time: types are gone by then. */
function imported(file: URL): string[] {
  const statements = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (type )?([^;]*?)from '([^']+)';/gm);
  return [...statements].filter(([, isType, names]) => !isType && !isOfTypes(names!)).map(([, , , from]) => from!);
}

const isOfTypes = (names: string): boolean => /^\{(\s*type [^,}]+,?)+\s*\}\s*$/.test(names);

it('has no Node module below it', () => {
  const seen = new Map<string, string[]>();
  const walk = (file: URL): void => {
    if (seen.has(file.href)) return;
    seen.set(file.href, imported(file));
    for (const from of seen.get(file.href)!) if (from.startsWith('.')) walk(new URL(from.replace(/\.js$/, '.ts'), file));
  };
  walk(new URL('verifier.ts', import.meta.url));
  expect(seen.size).toBeGreaterThan(30);
  expect([...new Set([...seen.values()].flat())].filter((from) => !from.startsWith('.')).sort()).toEqual(['#kernel', 'canonicalize']);
});
