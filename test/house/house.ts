import { ROOMS, WALKS, type Place } from './walks.js';

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const fileLinesMax = 400;
const foldersBelowRoomMax = 4;

const SHARED = ['kernel', 'contract', 'evidence', 'platform', 'sdk'] as const;

/** Every breach of the house rules in these files, each a sentence that names the file and what to do instead. */
export function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...walkBreaches(file), ...shapeBreaches(file)].map((what) => `${file.path}: ${what}`));
}

function placeOf(path: string): { place: Place; room?: string; app?: string } | undefined {
  const [top, name = '', ...rest] = path.split('/');
  if (/\.(e2e-)?spec\.tsx?$/.test(path) && top !== 'apps' && top !== 'libs') return { place: 'test' };
  if (top === 'test') return { place: 'test' };
  if (top === 'certs') return { place: 'certs' };
  if (top === 'apps') return isWebPage(path) ? undefined : { place: 'app', app: name };
  if (top !== 'libs') return undefined;
  if ((SHARED as readonly string[]).includes(name)) return { place: name as Place, room: name };
  const door = rest[1];
  return { place: door === 'adapters' || door === 'testing' ? door : 'core', room: name };
}

/** The console's page is built by Vite and judged by its own tsconfig. */
function isWebPage(path: string): boolean {
  return /^apps\/[^/]+\/web\//.test(path);
}

function walkBreaches(file: SourceFile): string[] {
  const here = placeOf(file.path);
  if (!here) return [];
  if (
    here.place !== 'app' &&
    here.room &&
    !(SHARED as readonly string[]).includes(here.room) &&
    !(ROOMS as readonly string[]).includes(here.room)
  ) {
    return [`"${here.room}" is not a room of the house; add it to test/house/walks.ts if it must be one`];
  }
  const spec = /\.(e2e-)?spec\.tsx?$/.test(file.path);
  return importsOf(file.text).flatMap((specifier) => walkBreach(file.path, here, specifier, spec) ?? []);
}

/** What is wrong with this import from here, or undefined. Specs may also use testing doors and any package. */
function walkBreach(path: string, here: NonNullable<ReturnType<typeof placeOf>>, specifier: string, spec: boolean): string | undefined {
  if (specifier.startsWith('.')) return relativeBreach(path, here, specifier);
  if (!specifier.startsWith('#')) return packageBreach(here.place, specifier, spec);
  const [name, door] = specifier.slice(1).split('/') as [string, string?];
  if (name === here.room) return `imports its own front "${specifier}": import the file itself`;
  if (door === 'testing') return spec || here.place === 'testing' || here.place === 'test' ? undefined : `"${specifier}" is for tests only`;
  return doorBreach(here, specifier, name, door, spec);
}

function packageBreach(place: Place, specifier: string, spec: boolean): string | undefined {
  const { packages } = WALKS[place];
  if (spec || packages === 'any' || packages.some((allowed) => allowed.test(specifier))) return undefined;
  return `must not import "${specifier}": move it behind a port and implement that in adapters`;
}

function doorBreach(
  here: NonNullable<ReturnType<typeof placeOf>>,
  specifier: string,
  name: string,
  door: string | undefined,
  spec: boolean,
): string | undefined {
  const walk = WALKS[here.place];
  const isShared = (SHARED as readonly string[]).includes(name);
  if (walk.libs.includes(name) || (isShared && spec && name === 'platform')) return undefined;
  const reach = door === 'adapters' ? walk.wiring : walk.fronts;
  if (!isShared && (reach === 'all' || (reach === 'left' && isLeft(name, here.room)))) return undefined;
  return isShared ? `a ${here.place} file must not import "${specifier}"` : `a ${here.place} file must not walk to "${specifier}"`;
}

function relativeBreach(path: string, here: NonNullable<ReturnType<typeof placeOf>>, specifier: string): string | undefined {
  const target = resolve(path, specifier);
  const there = placeOf(target);
  if (here.place === 'test' || /\.(e2e-)?spec\.tsx?$/.test(path)) return undefined;
  if (there?.app !== here.app) {
    if (there?.place === 'certs' && here.place === 'app') return undefined;
    return `reaches into another app or out of it by "${specifier}"`;
  }
  if (there?.room !== here.room) return `reaches into another room by "${specifier}": use its front`;
  if (here.place === 'core' && there?.place !== 'core') return `pure core must not import "${specifier}"`;
  if (/(^|\/)index\.js$/.test(specifier) && target.split('/').length === 4) return `imports its own index: import the file itself`;
  return undefined;
}

function resolve(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}

function isLeft(name: string, room: string | undefined): boolean {
  const order: readonly string[] = ROOMS;
  return order.includes(name) && order.indexOf(name) < order.indexOf(room ?? '');
}

function importsOf(text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...statements].map((match) => match[1] ?? match[2] ?? match[3]!);
}

const BANNED_NAMES = /(^|[-/])(utils?|common|helpers?|manager|impl|base)([-./]|$)/;
const KEBAB = /^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|tsx|mjs)$/;

function shapeBreaches(file: SourceFile): string[] {
  const name = file.path.split('/').at(-1)!;
  const found: string[] = [];
  const lines = file.text.split('\n').length - 1;
  if (lines > fileLinesMax) found.push(`${lines} lines; split by idea at ${fileLinesMax}`);
  if (!isWebPage(file.path) && !KEBAB.test(name)) found.push('file names are kebab-case');
  if (BANNED_NAMES.test(file.path)) found.push('name it after what it knows, not "utils", "common", "helper", "manager", "impl" or "base"');
  if (/^libs\/[^/]+\/src\//.test(file.path) && file.path.split('/').length - 4 > foldersBelowRoomMax)
    found.push(`more than ${foldersBelowRoomMax} folders below a room`);
  if (/\.(controller|guard|filter|processor|module)\.ts$/.test(name) && !/^(apps\/|libs\/[^/]+\/src\/adapters\/)/.test(file.path)) {
    found.push('Nest files live in apps and adapters');
  }
  return [...found, ...contentBreaches(file)];
}

const CONTENT: readonly { readonly pattern: RegExp; readonly where: RegExp; readonly instead: string }[] = [
  {
    pattern: /\bas (unknown as )?Verified</,
    where: /^(apps|libs\/(?!evidence\/))/,
    instead: 'only evidence makes a Verified: use verifyJws or mapVerified',
  },
  {
    pattern: /@ts-(ignore|nocheck|expect-error)|eslint-disable/,
    where: /./,
    instead: 'mend the type or the rule instead of switching it off',
  },
  { pattern: /\b(TODO|FIXME)\b/, where: /./, instead: 'finish it, or open an issue' },
  {
    pattern: /\b(parseFloat|Number)\([^)]*(amount|minor)/i,
    where: /^libs\/(?!sdk)[^/]+\/src\/(?!.*spec)/,
    instead: 'money is bigint minor units: use parseMoney',
  },
  {
    pattern: /\b(Date\.now\(\)|new Date\(\)|Math\.random\(\))/,
    where: /^libs\/(?!platform|sdk|kernel)[^/]+\/src\/(?!adapters|testing|.*spec)/,
    instead: 'time and randomness come in as arguments',
  },
  { pattern: /\b(describe|it|test)\.(only|skip)\(/, where: /./, instead: 'run every test; skip with a reason at run time' },
];

function contentBreaches(file: SourceFile): string[] {
  if (file.path.startsWith('test/house')) return [];
  return CONTENT.filter(({ pattern, where }) => where.test(file.path) && pattern.test(file.text)).map(({ instead }) => instead);
}
