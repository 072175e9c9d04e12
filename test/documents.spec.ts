import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '#platform';
import { type Page, type Surroundings, untruths, variablesRead } from './house/documents.js';

/** What git tracks or would track under these paths. */
function listed(...paths: readonly string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', ...paths];
  return execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .filter((path) => path !== '' && existsSync(path));
}

const read = (path: string): Page => ({ path, text: readFileSync(path, 'utf8') });
// What a release said stays said: names in the changelog may be gone by now.
const pages = listed('*.md')
  .filter((path) => path !== 'CHANGELOG.md')
  .map(read);
const code = listed('apps', 'libs', 'test', 'certs', 'prisma', 'package.json', 'eslint.config.js')
  .filter(
    (path) => /\.(ts|tsx|mjs|js|sql|prisma|proto|json)$/.test(path) && !path.startsWith('test/house') && path !== 'test/documents.spec.ts',
  )
  .map(read);

const repository: Surroundings = {
  exists: existsSync,
  pageAt: (path) => (path.endsWith('.md') ? readFileSync(path, 'utf8') : undefined),
  scripts: new Set(Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts)),
  commands: new Set(readdirSync('apps/cli/src/commands').map((file) => file.replace(/\.ts$/, ''))),
  words: new Set(code.flatMap(({ text }) => text.match(/[A-Za-z_]\w*/g) ?? [])),
};

describe('the pages', () => {
  it('say what is so', () => {
    expect(pages.length).toBeGreaterThan(20);
    expect(untruths(pages, repository)).toEqual([]);
  });

  it.each(['apps', 'libs'])('tell of everything in %s', (top) => {
    const rooms = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const untold = rooms.map(({ name }) => name).filter((name) => !existsSync(`${top}/${name}/README.md`));
    expect(untold).toEqual([]);
  });
});

describe('variables of the environment', () => {
  /** Set by the system, or by one of our programs for the next: nobody sets them by hand. */
  const OWN = ['PATH', 'CI', 'TALLYSTICK_CWD', 'PORT', 'SPENDER'];

  it('that the code reads are settings or stand in a page', () => {
    const told = pages.map(({ text }) => text).join('\n');
    const isTold = (name: string) => name in SETTINGS || OWN.includes(name) || new RegExp(`\\b${name}\\b`).test(told);
    const untold = code.flatMap(({ path, text }) =>
      variablesRead(text)
        .filter((name) => !isTold(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(untold).toEqual([]);
  });

  it('that are settings are read', () => {
    const reading = code.filter(({ path }) => path !== 'libs/platform/src/config.ts' && /^(apps|libs)\//.test(path));
    const words = new Set(reading.flatMap(({ text }) => text.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []));
    expect(Object.keys(SETTINGS).filter((name) => !words.has(name))).toEqual([]);
  });
});

describe('a planted untruth is found', () => {
  const planted: [rule: string, text: string, what: RegExp][] = [
    ['a link to no file', 'see [there](gone.md)', /leads nowhere/],
    ['a link to no heading', 'see [there](README.md#gone)', /leads to no heading/],
    ['a script that is none', 'call `npm run fly`', /no "npm run fly"/],
    ['a command that is none', 'call `tallystick fly --high`', /no command "tallystick fly"/],
    ['a name that is none', 'it promises `flyHigh`', /"flyHigh" is nowhere/],
    ['a code that is none', 'it refuses `bird.extinct`', /"extinct" is nowhere/],
  ];
  const around: Surroundings = {
    exists: (path) => path === 'libs/x/README.md',
    pageAt: () => '# x\n\n## Why it is so (2026)\n',
    scripts: new Set(['up']),
    commands: new Set(['verify']),
    words: new Set(['bird', 'flyLow']),
  };

  it.each(planted)('%s', (_rule, text, what) => {
    const found = untruths([{ path: 'libs/x/README.md', text }], around);
    expect(found).toEqual([expect.stringMatching(what)]);
  });

  it('a link out of a page that is published alone', () => {
    const found = untruths([{ path: 'libs/sdk/README.md', text: 'see [there](../x/README.md), [here](#x)' }], {
      ...around,
      exists: () => true,
    });
    expect(found).toEqual([expect.stringMatching(/x\/README.md leads out of the package/)]);
  });

  it('and an honest page is left alone', () => {
    const text = 'See [why](#why-it-is-so-2026): `npm run up`, then `tallystick verify`, or https://example.com; `flyLow` is a name.';
    expect(untruths([{ path: 'libs/x/README.md', text }], around)).toEqual([]);
  });

  it.each([
    ['const { KEPT_DAYS = 3 } = process.env;', ['KEPT_DAYS']],
    ["if (env['KEPT_DAYS']) process.env.OTHER_DAYS;", ['KEPT_DAYS', 'OTHER_DAYS']],
    ['const environment = "KEPT_DAYS";', []],
  ])('%s reads %j', (text, names) => {
    expect(variablesRead(text)).toEqual(names);
  });
});
