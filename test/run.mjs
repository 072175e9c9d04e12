// `npm test`: everything, on a machine with nothing but Node and npm. Plain Node: nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeOf } from '../apps/cli/bootstrap/runtime.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const ci = process.env.CI === 'true';

/** What the tests need from the system: any of these programs, else this package. */
const PROGRAMS = [
  { anyOf: ['redis-server', 'valkey-server'], package: 'redis-server', need: 'a real Redis' },
  { anyOf: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium', need: 'a browser' },
];

const totals = { passed: 0, failed: 0, skipped: 0 };

installPrograms();
if (step('build', [process.execPath, 'apps/cli/bootstrap.mjs', 'build'])) {
  const node = runtimeOf(root);
  step('typecheck', [node, 'node_modules/typescript/bin/tsc', '--noEmit']);
  step('typecheck of the console page', [node, 'node_modules/typescript/bin/tsc', '-p', 'apps/console/web']);
  step('lint', [node, 'node_modules/eslint/bin/eslint.js', '.']);
  step('format', [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']);
  tests(node);
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

/** A missing program is installed where that is possible; else its tests are skipped, and in CI that is a failure. */
function installPrograms() {
  const missing = PROGRAMS.filter(({ anyOf }) => !anyOf.some(onPath));
  if (missing.length === 0) return;
  const packages = missing.map((program) => program.package);
  // A package's own service would be of no use: the tests start their servers themselves, on free ports.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get'];
  const apt = process.getuid?.() === 0 ? quietly : ['sudo', '-n', ...quietly];
  if (onPath(apt[0]) && onPath('apt-get')) {
    console.log(`installing ${packages.join(', ')}: the tests use them`);
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    ]) {
      spawnSync(apt[0], [...apt.slice(1), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    }
  }
  for (const { anyOf, package: name, need } of missing) {
    if (anyOf.some(onPath)) continue;
    console.log(`${ci ? 'FAILED' : 'skipping what needs it'}: ${need} is missing; install it with "apt-get install ${name}"`);
    if (ci) totals.failed += 1;
  }
}

function onPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function step(name, [command, ...args]) {
  const started = Date.now();
  console.log(`\n${name}`);
  const passed = spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;
  totals[passed ? 'passed' : 'failed'] += 1;
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return passed;
}

/** Vitest's own numbers, and one failure more where it fails for another reason than a test. */
function tests(node) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-report-'));
  const report = path.join(folder, 'report.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const run = spawnSync(node, [...args, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  const counts = numbersIn(report);
  totals.passed += counts.passed;
  totals.failed += run.status !== 0 && counts.failed === 0 ? 1 : counts.failed;
  totals.skipped += counts.skipped;
  rmSync(folder, { recursive: true, force: true });
}

function numbersIn(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
