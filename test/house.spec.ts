import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { idleExports } from './house/exports.js';
import { breaches, type SourceFile } from './house/house.js';

/** What git tracks or would track: generated and built files are not ours to judge. */
function sourceFiles(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'apps', 'libs', 'test', 'certs'], {
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => /\.(ts|tsx|mjs)$/.test(path) && existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** Commands and benches are imported by a name that is put together; a loader is called by Node; the SDK's front is for its users. */
const CALLED_BY_NAME =
  /^(apps\/cli\/src\/commands\/.*: register|test\/load\/.*: (run|measure)|test\/world\/typescript-hooks\.mjs: \w+|libs\/sdk\/src\/index\.ts: \w+)$/;

describe('the house', () => {
  it('is in order', () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(20);
    expect(breaches(files)).toEqual([]);
  });

  it('exports no value that nobody imports', () => {
    const { imports } = JSON.parse(readFileSync('package.json', 'utf8')) as { imports: Record<string, { development: string }> };
    const doors = Object.entries(imports).map(([name, { development }]) => [name, development.replace('./', '')] as const);
    const idle = idleExports(sourceFiles(), { ...Object.fromEntries(doors), '@tallystick/sdk': 'libs/sdk/src/index.ts' });
    expect(idle.filter((one) => !CALLED_BY_NAME.test(one))).toEqual([]);
  });

  it('has the top level that was fixed', () => {
    const top = execFileSync('git', ['ls-tree', '--name-only', 'HEAD'], { encoding: 'utf8' }).trim().split('\n');
    expect(top).toEqual(expect.arrayContaining(['package.json', 'nest-cli.json', 'apps', 'libs', 'prisma']));
    const folders = top.filter((name) => !name.includes('.') && name !== 'LICENSE');
    expect(folders.sort()).toEqual(['apps', 'certs', 'libs', 'prisma', 'test']);
  });
});

describe('an export that nobody imports', () => {
  const idle = (files: Record<string, string>) =>
    idleExports(
      Object.entries(files).map(([path, text]) => ({ path, text })),
      { '#room': 'libs/room/src/index.ts', '#room/adapters/*': 'libs/room/src/adapters/*.ts' },
    );
  const room = 'libs/room/src';
  const thing = 'export const used = 1;\nexport function idle() {}\nexport interface Shape {}\n';

  it('is found, and what is imported in whatever way is not', () => {
    expect(idle({ [`${room}/thing.ts`]: thing })).toEqual([`${room}/thing.ts: used`, `${room}/thing.ts: idle`]);
    const users = [`import { used } from './thing.js';`, `import { type Shape, used as mine } from './thing.js';`];
    for (const text of users) expect(idle({ [`${room}/thing.ts`]: thing, [`${room}/user.ts`]: text })).toEqual([`${room}/thing.ts: idle`]);
    for (const text of [`import * as all from './thing.js';`, `const { used } = await import('./thing.js');`])
      expect(idle({ [`${room}/thing.ts`]: thing, [`${room}/user.ts`]: text })).toEqual([]);
  });

  it('is followed through fronts, which may not hand on what nobody asks for', () => {
    const files = { [`${room}/thing.ts`]: thing, 'apps/a/src/main.ts': `import { used } from '#room';` };
    expect(idle({ ...files, [`${room}/index.ts`]: `export * from './thing.js';` })).toEqual([`${room}/thing.ts: idle`]);
    expect(idle({ ...files, [`${room}/index.ts`]: `export { idle, type Shape, used } from './thing.js';` })).toEqual([
      `${room}/thing.ts: idle`,
      `${room}/index.ts: idle`,
    ]);
  });
});

describe('a planted breach is found', () => {
  const planted: [rule: string, path: string, text: string, message: RegExp][] = [
    ['kernel imports nothing', 'libs/kernel/src/x.ts', `import 'node:fs';`, /must not import "node:fs"/],
    ['pure core uses no Node', 'libs/records/src/x.ts', `import { readFileSync } from 'node:fs';`, /must not import "node:fs"/],
    ['pure core uses no Nest', 'libs/records/src/x.ts', `import { Module } from '@nestjs/common';`, /must not import "@nestjs\/common"/],
    ['pure core does not know platform', 'libs/records/src/x.ts', `import type { Tx } from '#platform';`, /must not import "#platform"/],
    ['rooms walk left only', 'libs/records/src/x.ts', `import { decide } from '#decisions';`, /must not walk to "#decisions"/],
    ['core does not import adapters', 'libs/records/src/x.ts', `import { S } from './adapters/store.js';`, /pure core must not import/],
    ['adapters walk left only', 'libs/records/src/adapters/x.ts', `import { S } from '#audit/adapters/y';`, /must not walk to/],
    ['no own front', 'libs/records/src/x.ts', `import { a } from '#records';`, /its own front/],
    ['no own index', 'libs/records/src/x.ts', `import { a } from './index.js';`, /its own index/],
    ['no reaching into a room', 'libs/records/src/x.ts', `import { a } from '../../audit/src/y.js';`, /another room/],
    ['no app imports an app', 'apps/gateway/src/x.ts', `import { a } from '../../worker/src/y.js';`, /another app/],
    ['no lib imports an app', 'libs/records/src/adapters/x.ts', `import { a } from '../../../../apps/worker/src/y.js';`, /another app/],
    ['testing doors are for tests', 'apps/gateway/src/x.ts', `import { a } from '#records/testing/y';`, /for tests only/],
    ['unknown rooms', 'libs/misc/src/x.ts', `import { a } from '#kernel';`, /not a room/],
    ['exports count as imports', 'libs/kernel/src/x.ts', `export * from '#audit';`, /must not walk to "#audit"/],
    ['dynamic imports count', 'libs/records/src/x.ts', `const a = await import('pg');`, /must not import "pg"/],
    ['long files', 'libs/records/src/x.ts', '\n'.repeat(401), /401 lines/],
    ['names', 'libs/records/src/utils.ts', '', /after what it knows/],
    ['kebab-case', 'libs/records/src/acceptRecord.ts', '', /kebab-case/],
    ['Nest files outside adapters', 'libs/records/src/records.module.ts', '', /apps and adapters/],
    ['forged proof', 'libs/records/src/x.ts', 'const v = x as Verified<T>;', /only evidence/],
    ['float money', 'libs/decisions/src/x.ts', 'const a = Number(item.amountMinor);', /bigint/],
    ['hidden clock', 'libs/decisions/src/x.ts', 'const at = new Date();', /come in as arguments/],
    ['focused tests', 'libs/decisions/src/x.spec.ts', 'it' + '.only("x", () => {});', /every test/],
    ['switched-off lint', 'apps/cli/src/x.ts', '// @ts-ignore', /instead of switching it off/],
  ];

  it.each(planted)('%s', (_rule, path, text, message) => {
    const found = breaches([{ path, text }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('and an honest file is left alone', () => {
    const text = `import { Refusal } from '#kernel';\nimport { score } from '#scoring';\nimport { ladder } from './ladder.js';\n`;
    expect(breaches([{ path: 'libs/standing/src/x.ts', text }])).toEqual([]);
  });
});
