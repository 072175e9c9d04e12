import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

/**
 * Builds the package as it is published: `node libs/sdk/npm/pack.mjs [folder] [--types]`, then `npm publish <folder>` (dist/sdk-package). The sources of kernel,
 * contract and evidence travel inside it, so that whoever installs it installs nothing else of ours. Type declarations take a while: on demand.
 */
const here = import.meta.dirname;
const root = path.resolve(here, '../../..');
const [folder = path.join(root, 'dist/sdk-package')] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const dist = path.resolve(folder, 'dist');
const rooms = ['kernel', 'contract', 'evidence', 'sdk'];
const tool = (name, args) =>
  execFileSync(process.execPath, [path.join(root, 'node_modules', name), ...args], { cwd: root, stdio: 'inherit' });

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
cpSync(path.join(here, 'package.json'), path.join(folder, 'package.json'));
cpSync(path.join(here, '../README.md'), path.join(folder, 'README.md'));
cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
const sources = rooms.map((room) => `libs/${room}/src`);
// No source maps: they would name folders of the machine that packed, and the modules are readable as they are.
const quietly = ['--quiet', '--source-maps', 'false'];
tool('@swc/cli/bin/swc.js', [...sources, '--out-dir', dist, '--strip-leading-paths', ...quietly, '--ignore', '**/testing/**']);
if (process.argv.includes('--types')) {
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', dist, '--rootDir', 'libs'];
  const settings = ['--target', 'es2023', '--module', 'nodenext', '--customConditions', 'development', '--strict', '--skipLibCheck'];
  tool('typescript/bin/tsc', ['libs/sdk/src/index.ts', '--ignoreConfig', '--types', 'node', ...settings, ...options]);
}
