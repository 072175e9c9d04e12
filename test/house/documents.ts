import path from 'node:path';

/** A Markdown page of the repository. */
export interface Page {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** What pages may speak of, as it stands in the repository. */
export interface Surroundings {
  /** Whether there is a file or folder at this path. */
  readonly exists: (path: string) => boolean;
  /** The text of a page that a link leads to; undefined for anything but a page. */
  readonly pageAt: (path: string) => string | undefined;
  /** The scripts of package.json. */
  readonly scripts: ReadonlySet<string>;
  /** The commands of `tallystick`. */
  readonly commands: ReadonlySet<string>;
  /** Every word of the code: names, strings, columns, settings. */
  readonly words: ReadonlySet<string>;
}

/** Names of other people's software that our pages speak of. */
const FOREIGN_WORDS = new Set(['reusePort', 'wal_compression']);

/** Pages that are published without the repository around them (libs/sdk/npm/pack.mjs). */
const PUBLISHED_ALONE = new Set(['libs/sdk/README.md']);

/** Everything that pages say of the repository and that is not so, each a sentence that names page and word. */
export function untruths(pages: readonly Page[], around: Surroundings): string[] {
  const rules = [brokenLinks, unknownScripts, unknownCommands, unknownNames];
  return pages.flatMap((page) => rules.flatMap((rule) => rule(page, around)).map((what) => `${page.path}: ${what}`));
}

/** Relative links lead to a file, and their `#part` to a heading of it; where there will be no other file, to a heading only. */
function brokenLinks(page: Page, { exists, pageAt }: Surroundings): string[] {
  const links = [...page.text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!).filter((link) => !/^[a-z]+:/.test(link));
  return links.flatMap((link) => {
    const [file = '', part] = link.split('#');
    if (file !== '' && PUBLISHED_ALONE.has(page.path)) return [`the link ${link} leads out of the package it is published in`];
    const target = file === '' ? page.path : path.posix.join(path.posix.dirname(page.path), file);
    if (!exists(target)) return [`the link ${link} leads nowhere`];
    const headed = part === undefined || anchorsOf(pageAt(target) ?? '').includes(part);
    return headed ? [] : [`the link ${link} leads to no heading`];
  });
}

/** The anchors that a forge makes of a page's headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  );
}

function unknownScripts(page: Page, { scripts }: Surroundings): string[] {
  const named = [...page.text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map((match) => match[1]!);
  return named.filter((name) => !scripts.has(name)).map((name) => `there is no "npm run ${name}"`);
}

/** `tallystick <command>` where it is typed: in code, not in prose. */
function unknownCommands(page: Page, { commands }: Surroundings): string[] {
  const typed = [...page.text.matchAll(/(?:`|^|[;&|] ?|npm run (?:-s )?)tallystick (?:-- )?([a-z][a-z-]*)/gm)].map((match) => match[1]!);
  return typed.filter((name) => !commands.has(name) && name !== 'help').map((name) => `there is no command "tallystick ${name}"`);
}

/** Whatever is written as a name (`likeThis`, `like_this`, `like.this`) is a name of the code. */
function unknownNames(page: Page, { words }: Surroundings): string[] {
  const prose = page.text.replace(/^```[\s\S]*?^```/gm, '');
  const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  const names = quoted.flatMap((text) => text.match(/\b[A-Za-z]\w*\b/g)?.filter((word) => looksLikeName(word, text)) ?? []);
  const unknown = names.filter((name) => !words.has(name) && !FOREIGN_WORDS.has(name));
  return [...new Set(unknown)].map((name) => `"${name}" is nowhere in the code`);
}

function looksLikeName(word: string, text: string): boolean {
  return /[a-z][A-Z]|_/.test(word) || /^[a-z_]+(\.[a-z_]+)+$/.test(text);
}

/** The variables of the environment that a file reads by name. */
export function variablesRead(text: string): string[] {
  const members = [...text.matchAll(/\benv(?:\.|\[')([A-Z][A-Z0-9_]+)/g)].map((match) => match[1]!);
  const taken = [...text.matchAll(/\{([^{}]*)\} = process\.env/g)].flatMap((match) => match[1]!.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []);
  return [...members, ...taken];
}
