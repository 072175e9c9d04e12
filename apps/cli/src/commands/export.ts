import { randomBytes } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ExportFilter } from '#evidence';
import { parseId, Refusal } from '#kernel';
import { type Config, Database, parseConfig } from '#platform';
import { dayFilter, type Export, Exports } from '#audit';
import { createExportRunner, exportsFolder } from '#audit/adapters/audit-wiring';
import { trustedKeysFile } from '#audit/adapters/trusted-keys';
import { PgExportStore } from '#audit/adapters/pg-export-store';
import { parseTime } from '../parse-time.js';
import { userPath } from '../user-path.js';

interface ExportOptions {
  readonly day?: string;
  readonly from?: string;
  readonly to?: string;
  readonly kind?: string[];
  readonly subject?: string;
  readonly participant?: string;
  readonly out: string;
  readonly here?: boolean;
}

const pollMs = 250;
const workerHintAfterMs = 15_000;

/** `tallystick export`: asks for an export, waits for the worker to write it, and puts it where it was asked for. */
export function register(program: Command): void {
  program
    .command('export')
    .description('write part of the log as a bundle that verifies offline')
    .option('--day <yyyy-mm-dd>', 'one day, UTC')
    .option('--from <time>', 'RFC 3339, included')
    .option('--to <time>', 'RFC 3339, excluded')
    .option('--kind <kind...>', 'only facts of these kinds, such as record.accepted')
    .option('--subject <id>', 'only facts about this subject (sub_…)')
    .option('--participant <id>', 'only facts about or by this participant')
    .requiredOption('--out <file>', 'where to put the bundle', userPath)
    .option('--here', 'write it in this process instead of the worker')
    .action(async (options: ExportOptions) => {
      const config = parseConfig(process.env);
      if (config.DATABASE_URL === undefined)
        throw new Error('there is no database: start the installation with "npm run up", or set DATABASE_URL');
      const database = await Database.open(config.DATABASE_URL);
      try {
        const file = await runExport(database, config, options);
        await mkdir(path.dirname(path.resolve(options.out)), { recursive: true });
        await copyFile(path.join(exportsFolder(config), file), options.out);
        console.log(`${options.out}\nverify it:  npm run -s tallystick -- verify ${options.out}`);
        console.log(`elsewhere:  give the reader ${trustedKeysFile(config)} on another way, for --key`);
      } finally {
        await database.close();
      }
    });
}

async function runExport(database: Database, config: Config, options: ExportOptions): Promise<string> {
  const exports = new Exports(new PgExportStore(database));
  const id = await exports.request(filterOf(options), 'cli', new Date(), randomBytes(10));
  if (options.here) return createExportRunner(database, config).run(id, showProgress);
  return waitFor(exports, id);
}

function filterOf(options: ExportOptions): ExportFilter {
  if (options.day !== undefined && (options.from !== undefined || options.to !== undefined)) {
    throw new Refusal('malformed', 'export.filter_malformed', 'give either --day or --from and --to');
  }
  return {
    ...(options.day === undefined ? {} : dayFilter(options.day)),
    ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
    ...(options.to === undefined ? {} : { to: timeOf(options.to) }),
    ...(options.kind === undefined ? {} : { kinds: options.kind }),
    ...(options.subject === undefined ? {} : { subject: parseId('sub', options.subject).uuid }),
    ...(options.participant === undefined ? {} : { participant: options.participant }),
  };
}

function timeOf(text: string): string {
  return parseTime(text, 'export.filter_malformed').toISOString();
}

/** The worker's sweep finds the request in PostgreSQL. */
async function waitFor(exports: Exports, id: string): Promise<string> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const row = await exports.get(id);
    if (row.state === 'DONE') {
      endProgress();
      return row.file!;
    }
    if (row.state === 'FAILED') throw new Error(`the export failed: ${row.problem}`);
    show(row, waitedMs);
    await pause(pollMs);
  }
}

function show(row: Export, waitedMs: number): void {
  if (row.plan) showProgress(row.nextIndex - row.plan.start, row.plan.end - row.plan.start);
  else if (waitedMs === workerHintAfterMs)
    console.error('still waiting for the worker; "npm run status" shows whether it runs, --here does without it');
}

function showProgress(done: bigint, total: bigint): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total} entries`);
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
}
