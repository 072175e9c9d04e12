import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  type AskedPolicy,
  type Assumption,
  ASSUMPTIONS,
  type Backtest,
  type BacktestReport,
  backtestNotDone,
  type Backtests,
  backtestText,
  type Beginning,
  BEGINNINGS,
} from '#decisions';
import { backtestDesk, backtestRunner } from '#decisions/adapters/backtests';
import { formatId, parseId, Refusal, shardOf } from '#kernel';
import type { Database } from '#platform';
import { parseTime } from '../parse-time.js';
import { readUserFile } from '../registry/open-registry.js';
import { onDatabase } from '../on-database.js';
import { parseVersion } from './policy-arguments.js';

interface BacktestOptions {
  readonly from?: string;
  readonly to?: string;
  readonly assume: string;
  readonly begin: string;
  readonly json?: boolean;
  readonly here?: boolean;
  readonly wait: boolean;
}

const pollMs = 250;
const workerHintAfterMs = 15_000;
const listedMax = 20;

/** Back-tests: ask, wait, read, cancel. */
export function registerBacktests(policy: Command): void {
  policy
    .command('backtest <policy>')
    .description(
      'decide recorded history again under a policy: a file, the number of a drafted version, or "recorded" (each decision by its own)',
    )
    .option('--from <time>', 'RFC 3339, included; earlier decisions count as they really did')
    .option('--to <time>', 'RFC 3339, excluded')
    .option('--assume <what>', 'of amounts that would be held and were really denied: confirmed, expired', 'confirmed')
    .option(
      '--begin <how>',
      'with --from: continue (counters go on by their limits’ names), counted (as if it had always counted)',
      'continue',
    )
    .option('--json', 'the report as JSON')
    .option('--here', 'work in this process instead of the worker')
    .option('--no-wait', 'only ask; read the report later')
    .action((asked: string, options: BacktestOptions) => onDatabase((database) => backtest(database, asked, options)));
  policy
    .command('backtests')
    .description('the latest back-tests and how far they are')
    .action(() =>
      onDatabase(async (database) => {
        for (const one of await backtestDesk(database).list(listedMax)) console.log(lineOf(one));
      }),
    );
  policy
    .command('backtest-report <id>')
    .description('what a finished back-test found')
    .option('--json', 'as JSON')
    .action((id: string, { json }: { json?: boolean }) =>
      onDatabase(async (database) => print(await backtestDesk(database).get(parseId('bkt', id).uuid), json === true)),
    );
  policy
    .command('backtest-cancel <id>')
    .description('stop a back-test')
    .action((id: string) =>
      onDatabase(async (database) => console.log(lineOf(await backtestDesk(database).cancel(parseId('bkt', id).uuid)))),
    );
}

async function backtest(database: Database, asked: string, options: BacktestOptions): Promise<void> {
  const desk = backtestDesk(database);
  const ask = {
    policy: policyOf(asked),
    from: options.from === undefined ? undefined : parseTime(options.from, 'policy.time_malformed'),
    to: options.to === undefined ? undefined : parseTime(options.to, 'policy.time_malformed'),
    assume: oneOf<Assumption>('assume', options.assume, ASSUMPTIONS),
    begin: oneOf<Beginning>('begin', options.begin, BEGINNINGS),
  };
  const requested = await desk.request(ask, 'cli', new Date(), randomBytes(10));
  if (options.here) await runHere(database, requested);
  else if (!options.wait) return console.log(`${lineOf(requested)}\nRead it later:  tallystick policy backtest-report ${idOf(requested)}`);
  print(await waitFor(desk, requested.id), options.json === true);
}

function policyOf(asked: string): AskedPolicy {
  if (asked === 'recorded') return 'RECORDED';
  if (/^[0-9]+$/.test(asked)) return { version: parseVersion(asked) };
  return { document: parseJson(asked) };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readUserFile(file));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal('malformed', 'policy.malformed', `${file} is no JSON; "tallystick policy lint ${file}" says where`);
  }
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name.toLowerCase() === text.toLowerCase());
  if (found) return found;
  throw new Refusal('malformed', 'backtest.option_malformed', `--${option} is one of ${names.join(', ').toLowerCase()}`);
}

async function runHere(database: Database, { id }: Backtest): Promise<void> {
  const [before, startedMs] = [process.cpuUsage(), performance.now()];
  let decided = 0n;
  await backtestRunner(database).run(id, (done, total) => {
    decided = done;
    showProgress(done, total);
  });
  const { user, system } = process.cpuUsage(before);
  const rate = (seconds: number) => Math.round(Number(decided) / seconds);
  const [wall, cpu] = [rate((performance.now() - startedMs) / 1e3), rate((user + system) / 1e6)];
  console.error(`\n${decided} decisions, ${wall} a second, ${cpu} for each second of this process's CPU`);
}

/** The worker's sweep finds the request in PostgreSQL. */
async function waitFor(desk: Backtests, id: string): Promise<Backtest> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const found = await desk.get(id);
    if (found.state !== 'REQUESTED' && found.state !== 'RUNNING') return found;
    if (found.progress.total > 0n) showProgress(found.progress.done, found.progress.total);
    else if (waitedMs === workerHintAfterMs)
      console.error('still waiting for the worker; "npm run status" shows whether it runs, --here does without it');
    await pause(pollMs);
  }
}

function showProgress(done: bigint, total: bigint): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${percentOf(done, total)} % of ${total} decisions`);
}

function percentOf(done: bigint, total: bigint): bigint {
  return total === 0n ? 0n : (100n * done) / total;
}

function print(found: Backtest, asJson: boolean): void {
  if (found.state === 'FAILED') throw new Error(`the back-test failed: ${found.problem}`);
  if (found.report === undefined) throw backtestNotDone(found.state);
  if (process.stderr.isTTY) process.stderr.write('\n');
  const report = JSON.parse(found.report) as BacktestReport;
  console.log(asJson ? JSON.stringify(report, undefined, 2) : `${backtestText(report)}\n${idOf(found)}`);
}

function lineOf(found: Backtest): string {
  const { state, requestedAt, policy, progress, problem } = found;
  const of = policy ? `sha256 ${policy.hash.slice(0, 16)}` : 'recorded';
  const told = state === 'RUNNING' ? `${percentOf(progress.done, progress.total)} %` : (problem ?? '');
  return [idOf(found), state, requestedAt.toISOString(), of, told].join('  ').trimEnd();
}

function idOf({ id }: Backtest): string {
  return formatId('bkt', { shard: shardOf(id), uuid: id });
}
