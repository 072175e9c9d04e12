import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { exclusively } from './lock.mjs';
import { ensurePackages } from './packages.mjs';
import { digestOf, filesBelow, Stamps } from './stamps.mjs';

const SOURCES = ['apps', 'libs', 'certs'];
const WEB = 'apps/console/web';
/** What the page is made of besides its own sources. */
const WEB_USES = ['apps/console/src', 'libs/evidence/src', 'libs/kernel/src'];
/** Files beside the code that the running code reads. */
const ASSET = /\/src\/.*\.(proto|json|sql|html|css|svg)$/;

/** Brings the packages up to date; a second run does nothing. */
export function installPackages(root) {
  return exclusively(lockOf(root), () => ensurePackages(root));
}

/** Brings everything that is built from sources and packages up to date; a second run does nothing. */
export function build(root) {
  return exclusively(lockOf(root), () => {
    const stamps = new Stamps(path.join(root, 'dist', '.stamps.json'));
    generateClient(root, stamps);
    compile(root, stamps);
    buildConsole(root, stamps);
  });
}

/** Only the code that is generated: what an editor and the type checker need. */
export function generate(root) {
  return exclusively(lockOf(root), () => generateClient(root, new Stamps(path.join(root, 'dist', '.stamps.json'))));
}

function lockOf(root) {
  return path.join(root, '.tallystick-build.lock');
}

function generateClient(root, stamps) {
  const schemas = filesBelow(root, ['prisma', 'prisma.config.ts', 'package-lock.json']).filter((file) => !file.endsWith('.sql'));
  const made = existsSync(path.join(root, 'libs/platform/src/generated/prisma/client.ts'));
  stamps.unlessFresh('generate', digestOf(root, schemas), made, () =>
    step(root, 'generating the database client', ['node_modules/prisma/build/index.js', 'generate'], {
      // Prisma would download an engine that generating does not need; any executable satisfies it.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    }),
  );
}

function compile(root, stamps) {
  const sources = filesBelow(root, [...SOURCES, '.swcrc', 'package-lock.json']).filter((file) => !file.startsWith(`${WEB}/`));
  stamps.unlessFresh('compile', digestOf(root, sources), existsSync(path.join(root, 'dist/apps/cli/src/main.js')), () => {
    step(root, 'compiling', ['node_modules/@swc/cli/bin/swc.js', ...SOURCES, '-d', 'dist', '--extensions', '.ts', '--quiet']);
    for (const asset of sources.filter((file) => ASSET.test(file))) copy(path.join(root, asset), path.join(root, 'dist', asset));
    removeStale(root, new Set(sources));
  });
}

function copy(from, to) {
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o644);
}

/** What was compiled from a source that is gone must not be found by an import. */
function removeStale(root, sources) {
  for (const built of filesBelow(path.join(root, 'dist'), SOURCES)) {
    const source = built.replace(/\.js(\.map)?$/, '.ts');
    if (!sources.has(source) && !sources.has(built)) rmSync(path.join(root, 'dist', built));
  }
}

function buildConsole(root, stamps) {
  if (!existsSync(path.join(root, WEB, 'index.html'))) return;
  const sources = filesBelow(root, [WEB, ...WEB_USES, 'package-lock.json']).filter((file) => !file.startsWith(`${WEB}/dist/`));
  const made = existsSync(path.join(root, WEB, 'dist/index.html'));
  stamps.unlessFresh('console', digestOf(root, sources), made, () =>
    step(root, 'building the console', ['node_modules/vite/bin/vite.js', 'build', WEB, '--logLevel', 'warn']),
  );
}

function step(root, what, args, env = {}) {
  const started = Date.now();
  process.stderr.write(`  ${what} …`);
  const done = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', RUST_BACKTRACE: '0', ...env },
    encoding: 'utf8',
  });
  if (done.status === 0) {
    process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return;
  }
  process.stderr.write('\n');
  throw new Error(`${what} failed:\n${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`);
}
