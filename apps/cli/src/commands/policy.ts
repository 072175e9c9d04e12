import type { Command } from 'commander';
import { printable } from '#contract';
import { Refusal } from '#kernel';
import { type Finding, lintPolicy, policyJsonSchema, type PolicyLife, policyUnknown, type PolicyVersion } from '#policies';
import { policyLife } from '#policies/adapters/pg-policies';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import { registerBacktests } from '../history/backtest-commands.js';
import { registerShadow } from '../history/shadow-commands.js';
import { BY, parseVersion, VERSION } from '../history/policy-arguments.js';
import { parseTime } from '../parse-time.js';
import { readUserFile } from '../registry/open-registry.js';
import { onDatabase } from '../on-database.js';

interface Desk {
  readonly book: PgPolicyBook;
  readonly life: PolicyLife;
}

/** The life of a policy, from a file to what decides. */
export function register(program: Command): void {
  const policy = program
    .command('policy')
    .description('policies: lint, draft, shadow, backtest, list, show, approve, activate, retire, schema');
  registerWriting(policy);
  registerReading(policy);
  registerSteps(policy);
  registerShadow(policy);
  registerBacktests(policy);
}

function registerWriting(policy: Command): void {
  policy
    .command('schema')
    .description('the JSON Schema of a policy document')
    .action(() => console.log(JSON.stringify(policyJsonSchema(), undefined, 2)));
  policy
    .command('lint <file>')
    .description('what is wrong or strange about a document, with line and column; ends with 1 where it could not be drafted')
    .action((file: string) => {
      const findings = lintPolicy(readUserFile(file));
      for (const finding of findings) console.log(lineOf(file, finding));
      if (findings.some(isError)) process.exitCode = 1;
      else console.log(`${file}: no errors. Next: tallystick policy draft ${file} --author <you>`);
    });
  policy
    .command('draft <file>')
    .description('save a document as a new version; what was drafted can never change')
    .requiredOption('--author <person>', 'who wrote it')
    .action((file: string, { author }: { author: string }) => draft(file, author));
}

async function draft(file: string, author: string): Promise<void> {
  const text = readUserFile(file);
  const findings = lintPolicy(text);
  for (const finding of findings) console.error(lineOf(file, finding));
  const broken = findings.find(isError);
  if (broken) throw new Refusal('unprocessable', broken.code, `${file} has errors: nothing was drafted`, { field: broken.pointer });
  await atDesk(async ({ life }) => {
    const drafted = await life.draft(JSON.parse(text), author, new Date());
    console.log(`${titleOf(drafted)}\nNext, somebody else:  tallystick policy approve --version ${drafted.version} --approver <person>`);
  });
}

function registerReading(policy: Command): void {
  policy
    .command('list')
    .description('every version and how far it has come')
    .action(() =>
      atDesk(async ({ book }) => {
        for (const version of await book.list()) console.log(titleOf(version));
      }),
    );
  policy
    .command('show')
    .description('a document as it was drafted; without --version the active one')
    .option(...VERSION)
    .action(({ version }: { version?: string }) =>
      atDesk(async ({ book }) => {
        const found = version === undefined ? await book.findActive() : await book.find(parseVersion(version));
        if (!found)
          throw version === undefined ? new Refusal('not_found', 'policy.none', 'no policy is active') : policyUnknown(BigInt(version));
        console.error(titleOf(found));
        console.log(JSON.stringify(JSON.parse(found.text), undefined, 2));
      }),
    );
}

function registerSteps(policy: Command): void {
  policy
    .command('approve')
    .description('the second pair of eyes: a version needs one that is not its author’s')
    .requiredOption(...VERSION)
    .requiredOption('--approver <person>', 'who read it')
    .action(({ version, approver }: { version: string; approver: string }) =>
      atDesk(async ({ life }) => {
        const approved = await life.approve(parseVersion(version), approver, new Date());
        console.log(`${titleOf(approved)}\nNext:  tallystick policy activate --version ${version} --by <person> [--at <time>]`);
      }),
    );
  policy
    .command('activate')
    .description('let an approved version decide, or one that did before, at once or from a set time')
    .requiredOption(...VERSION)
    .requiredOption(...BY)
    .option('--at <time>', 'a time ahead, RFC 3339, such as 2026-12-01T00:00:00+08:00; a past one is refused')
    .action(({ version, by, at }: { version: string; by: string; at?: string }) =>
      atDesk(async ({ life }) => {
        const from = at === undefined ? undefined : parseTime(at, 'policy.time_malformed');
        console.log(titleOf(await life.activate(parseVersion(version), by, new Date(), from)));
      }),
    );
  policy
    .command('retire')
    .description('put a version away that does not decide; ends its set time too')
    .requiredOption(...VERSION)
    .requiredOption(...BY)
    .action(({ version, by }: { version: string; by: string }) =>
      atDesk(async ({ life }) => console.log(titleOf(await life.retire(parseVersion(version), by, new Date())))),
    );
}

function atDesk(work: (desk: Desk) => Promise<void>): Promise<void> {
  return onDatabase((database) => work({ book: new PgPolicyBook(database), life: policyLife(database) }));
}

function titleOf({
  version,
  id,
  state,
  hash,
  author,
  approver,
  activateAt,
  scheduledBy,
  activatedAt,
  activatedBy,
  retiredBy,
}: PolicyVersion): string {
  const signed = approver === undefined ? `by ${author}` : `by ${author}, approved by ${approver}`;
  const waits = state === 'APPROVED' && activateAt ? [`decides from ${activateAt.toISOString()}${setBy(scheduledBy)}`] : [];
  const since = state === 'ACTIVE' && activatedAt ? [`decides since ${activatedAt.toISOString()}${setBy(activatedBy)}`] : [];
  const ended = state === 'RETIRED' && retiredBy !== undefined ? [`retired by ${retiredBy}`] : [];
  return [`${id} ${version}`, state, `sha256 ${hash.slice(0, 16)}`, signed, ...waits, ...since, ...ended].join('  ');
}

function setBy(person: string | undefined): string {
  return person === undefined ? '' : `, set by ${person}`;
}

/** A document may be a stranger's: its words do not reach the terminal as commands. */
function lineOf(file: string, { line, column, severity, code, message, pointer }: Finding): string {
  return printable(`${file}:${line}:${column}: ${severity} ${code}: ${message} (${pointer === '' ? 'the document' : pointer})`);
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}
