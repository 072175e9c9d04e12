import type { Command } from 'commander';
import { parseId, Refusal } from '#kernel';
import { type RestrictionReader, showAppeal, showHistory, showOrder, showRetraction, type SubjectViews } from '#standing';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { pgSubjectViews } from '#standing/adapters/pg-subject-views';
import { onDatabase } from '../on-database.js';

const rowsMax = 1_000;

/** Restrictions for operators: which bank has yet to hear, what waits for people. Orders are given at the console, where people are known. */
export function register(program: Command): void {
  const restrictions = program.command('restrictions').description('restrictions: retractions, appeals, orders, show');
  restrictions
    .command('retractions')
    .description('banks that have not acknowledged yet that a restriction is over or a record withdrawn, by poll or webhook, oldest first')
    .option('--json', 'as JSON, one line each')
    .action(({ json }: { json?: boolean }) => atDesk((reader, at, views) => retractions(reader, at, json === true, views)));
  restrictions
    .command('appeals')
    .description('open appeals, the one that is due first on top')
    .action(() =>
      atDesk(async (reader, at, views) => {
        const open = await reader.openAppeals(rowsMax);
        await views.note({ by: 'operator', what: 'appeals.open' });
        for (const appeal of open) {
          const { id, restriction, grounds, dueAt, overdue } = showAppeal(appeal, at);
          console.log(`${id}  ${restriction}  ${grounds.code}  due ${dueAt}${overdue ? '  OVERDUE' : ''}`);
        }
        if (open.length === 0) console.log('No open appeals.');
      }),
    );
  restrictions
    .command('orders')
    .description('orders that wait for a second person')
    .action(() =>
      atDesk(async (reader, _, views) => {
        const waiting = await reader.waitingOrders(rowsMax);
        await views.note({ by: 'operator', what: 'orders.waiting' });
        for (const { id, kind, reason, askedAt } of waiting.map(showOrder)) console.log(`${id}  ${kind}  ${reason.code}  asked ${askedAt}`);
        if (waiting.length === 0) console.log('No order waits.');
      }),
    );
  restrictions
    .command('show <subject>')
    .description('everything that stands or stood against a subject, the newest first, as JSON lines')
    .action((subject: string) => atDesk((reader, at, views) => show(reader, subject, at, views)));
}

async function retractions(reader: RestrictionReader, at: Date, json: boolean, views: SubjectViews): Promise<void> {
  await views.note({ by: 'operator', what: 'retractions.open' });
  const open = (await reader.openRetractions(rowsMax)).map((one) => showRetraction(one, at));
  if (json) return open.forEach((one) => console.log(JSON.stringify(one)));
  for (const { participant, restriction, record, since, ageSeconds, failures, failure, deadAt } of open) {
    const trouble = failures === 0 ? 'never failed' : `failed ${failures} times, last: ${failure}`;
    const dead = deadAt === undefined ? '' : `  DEAD LETTER since ${deadAt}: tallystick webhooks resend ${participant}`;
    console.log(`${participant}  ${restriction ?? `record ${record}`}  since ${since} (${ageText(ageSeconds)})  ${trouble}${dead}`);
  }
  if (open.length === 0) console.log('No open retractions: every bank that was told has acknowledged.');
}

async function show(reader: RestrictionReader, text: string, at: Date, views: SubjectViews): Promise<void> {
  const subject = parseId('sub', text);
  const history = await reader.ofSubject(subject);
  if (!history) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  await views.note({ by: 'operator', what: 'restrictions.list', subject });
  for (const one of history) console.log(JSON.stringify(showHistory(one, subject.shard, at)));
}

function ageText(seconds: number): string {
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

function atDesk(work: (reader: RestrictionReader, at: Date, views: SubjectViews) => Promise<void>): Promise<void> {
  return onDatabase((database) => work(new PgRestrictionReader(database), new Date(), pgSubjectViews(database)));
}
