import type { Command } from 'commander';
import { type AffectedDecisions, showAffected, showRedecided } from '#decisions';
import { affectedDecisions } from '#decisions/adapters/pg-affected-decisions';
import { parseId, Refusal, type ShardedId } from '#kernel';
import { type DisputeFile, type DisputeReader, disputeUnknown, showDispute, type SubjectViews } from '#standing';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { pgSubjectViews } from '#standing/adapters/pg-subject-views';
import { onDatabase } from '../on-database.js';

const rowsMax = 1_000;

/** Disputes for operators and auditors: what is open, who has heard, which decisions used a record and would have been different. */
export function register(program: Command): void {
  const disputes = program.command('disputes').description('disputes of records: list, show, decisions, re-evaluate');
  disputes
    .command('list')
    .description('open disputes, the one that is due first on top, and closed ones of which somebody has not heard yet')
    .option('--subject <id>', 'all disputes of this subject (sub_…) instead, closed ones too, the newest first')
    .option('--json', 'as JSON, one line each')
    .action(({ subject, json }: { subject?: string; json?: boolean }) =>
      atDesk((desk) => list(desk, subject === undefined ? undefined : parseId('sub', subject), json === true)),
    );
  disputes
    .command('show <dispute>')
    .description('one dispute with its clock, its answer and the proof of delivery, as JSON')
    .action((text: string) =>
      atDesk(async ({ reader, views, at }) => {
        const file = await get(reader, parseId('dsp', text));
        await views.note({ by: 'operator', what: 'disputes.one', subject: file.dispute.subject });
        console.log(JSON.stringify(showDispute(file, at), null, 2));
      }),
    );
  disputes
    .command('decisions <dispute>')
    .description('the decisions that used the disputed record, in their order')
    .option('--json', 'as JSON, one line each')
    .action((text: string, { json }: { json?: boolean }) => atDesk((desk) => decisions(desk, parseId('dsp', text), json === true)));
  disputes
    .command('re-evaluate <dispute>')
    .description('decides them again as they should have been, and says which would be other; changes nothing, and is a fact')
    .option('--json', 'as JSON, one line each')
    .action((text: string, { json }: { json?: boolean }) =>
      atDesk(({ affected }) => redecide(affected, parseId('dsp', text), json === true)),
    );
}

async function list({ reader, views, at }: Desk, subject: ShardedId | undefined, json: boolean): Promise<void> {
  const page = { after: undefined, countMax: rowsMax + 1, state: undefined };
  const found = subject ? await reader.ofSubject(subject, page) : await reader.open(rowsMax + 1);
  if (!found) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  await views.note({ by: 'operator', ...(subject ? { what: 'disputes.subject', subject } : { what: 'disputes.open' }) });
  const files = found.slice(0, rowsMax).map((file) => showDispute(file, at));
  if (found.length > files.length) console.error(`There are more; these are the ${rowsMax} ${subject ? 'newest' : 'that are due first'}.`);
  if (json) return files.forEach((file) => console.log(JSON.stringify(file)));
  for (const { id, record, code, state, outcome, dueAt, overdue, notices } of files) {
    const unheard = [...new Set(notices.filter(({ heardAt }) => heardAt === undefined).map(({ participant }) => participant))];
    const clock = state === 'CLOSED' ? `closed ${outcome}` : `${state} due ${dueAt}${overdue ? '  OVERDUE' : ''}`;
    console.log(
      `${id}  ${record.issuer}  ${code}  ${clock}  ${unheard.length === 0 ? 'all have heard' : `not heard: ${unheard.join(', ')}`}`,
    );
  }
  if (files.length > 0) return;
  console.log(subject ? 'Nothing of this subject was ever disputed.' : 'No dispute is open, and everybody has heard of those that were.');
}

async function decisions({ affected, reader, views }: Desk, id: ShardedId, json: boolean): Promise<void> {
  const { dispute } = await get(reader, id);
  await views.note({ by: 'operator', what: 'disputes.decisions', subject: dispute.subject });
  let count = 0;
  for (let next: bigint | undefined = 0n; next !== undefined;) {
    const page: Awaited<ReturnType<AffectedDecisions['list']>> = await affected.list(id, next);
    for (const one of page.decisions.map(showAffected)) {
      const { id: decision, decidedAt, service, amount, outcome, standingVersion } = one;
      const text = `${decision}  ${decidedAt}  ${service}  ${amount.amount} ${amount.currency}  ${outcome}  standing ${standingVersion}`;
      console.log(json ? JSON.stringify(one) : text);
    }
    count += page.decisions.length;
    next = page.next;
  }
  if (!json) console.log(count === 0 ? 'No decision used the record.' : `Decisions that used the record: ${count}.`);
}

async function redecide(affected: AffectedDecisions, id: ShardedId, json: boolean): Promise<void> {
  let [count, others] = [0, 0];
  for (let next: bigint | undefined = 0n; next !== undefined;) {
    const page: Awaited<ReturnType<AffectedDecisions['redecide']>> = await affected.redecide(id, 'operator', next);
    for (const one of page.decisions.map(showRedecided)) {
      if (json) console.log(JSON.stringify(one));
      else if (one.other)
        console.log(
          `${one.id}  ${one.was.outcome} -> ${one.would?.outcome ?? 'not judged'}  score ${one.was.score} -> ${one.would?.score ?? '-'}  tier ${one.was.tier} -> ${one.would?.tier ?? '-'}`,
        );
      others += Number(one.other);
    }
    count += page.decisions.length;
    next = page.next;
  }
  if (!json) console.log(`Decisions that would have been different: ${others} of ${count}.`);
}

async function get(reader: DisputeReader, id: ShardedId): Promise<DisputeFile> {
  const file = await reader.find(id);
  if (!file) throw disputeUnknown();
  return file;
}

interface Desk {
  readonly reader: DisputeReader;
  /** Every look is a fact, saved before anything is shown. */
  readonly views: SubjectViews;
  readonly affected: AffectedDecisions;
  readonly at: Date;
}

function atDesk(work: (desk: Desk) => Promise<void>): Promise<void> {
  return onDatabase((database) => {
    const views = pgSubjectViews(database);
    return work({ reader: new PgDisputeReader(database), views, affected: affectedDecisions(database), at: new Date() });
  });
}
