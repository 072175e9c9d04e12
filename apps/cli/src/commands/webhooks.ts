import type { Command } from 'commander';
import { systemClock } from '#kernel';
import { parseParticipantId } from '#partners';
import { showWebhook, Webhooks } from '#standing';
import { addressCheck } from '#standing/adapters/https-webhook-push';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { onDatabase } from '../on-database.js';

const rowsMax = 1_000;
const OPERATOR = 'operator';

interface Desk {
  readonly book: PgWebhookBook;
  readonly webhooks: Webhooks;
}

/** Where banks have their events pushed, how that goes, and what was given up. */
export function register(program: Command): void {
  const webhooks = program.command('webhooks').description('webhooks of banks: list, dead-letters, resend, pause, resume');
  webhooks
    .command('list')
    .description('every webhook with its state, its last trouble and what it holds back')
    .option('--json', 'as JSON, one line each')
    .action(({ json }: { json?: boolean }) => atDesk((desk) => list(desk, json === true)));
  webhooks
    .command('dead-letters [participant]')
    .description('events that could not be pushed for three days, the oldest first')
    .option('--json', 'as JSON, one line each')
    .action((id: string | undefined, { json }: { json?: boolean }) => atDesk((desk) => deadLetters(desk, id, json === true)));
  webhooks
    .command('resend <participant> [events...]')
    .description('push dead letters again: those named, or all')
    .action((id: string, events: string[]) =>
      atDesk(async (desk) => {
        const sent = await desk.webhooks.resend(parseParticipantId(id), events.length > 0 ? events : undefined, OPERATOR);
        console.log(sent === 0 ? 'No dead letters of these.' : `${sent} events wait to be pushed again, for three days.`);
      }),
    );
  webhooks
    .command('pause <participant>')
    .description('push nothing for now; events wait, and can be polled')
    .requiredOption('--reason <text>', 'why; it stands in the log')
    .action((id: string, { reason }: { reason: string }) =>
      atDesk(async (desk) => {
        await desk.webhooks.pause(parseParticipantId(id), reason, OPERATOR);
        console.log(`${id}: paused. Next: tallystick webhooks resume ${id}`);
      }),
    );
  webhooks
    .command('resume <participant>')
    .description('push again, at once')
    .action((id: string) =>
      atDesk(async (desk) => {
        await desk.webhooks.resume(parseParticipantId(id), OPERATOR);
        console.log(`${id}: pushed to again.`);
      }),
    );
}

async function list({ book }: Desk, json: boolean): Promise<void> {
  const all = await book.list();
  const backlog = await book.backlog(all.map(({ participant }) => participant));
  for (const webhook of all) {
    const shown = { ...showWebhook(webhook), events: backlog.get(webhook.participant)! };
    if (json) console.log(JSON.stringify(shown));
    else {
      const { participant, state, url, events, trouble } = shown;
      const last = trouble?.last
        ? `  last trouble: ${trouble.last.err}${trouble.last.description ? `, ${trouble.last.description}` : ''}`
        : '';
      console.log(`${participant}  ${state}  ${url}  ${events.waiting} wait, ${events.failing} failing, ${events.dead} dead${last}`);
    }
  }
  if (all.length === 0) console.log('No webhook is registered: every bank polls.');
}

async function deadLetters({ book }: Desk, id: string | undefined, json: boolean): Promise<void> {
  const participants = id === undefined ? (await book.list()).map(({ participant }) => participant) : [parseParticipantId(id)];
  const dead = await book.deadLetters(participants, rowsMax);
  for (const { participant, event, kind, at, deadAt, failures, failure } of dead) {
    const row = { participant, jti: event, kind, at: at.toISOString(), deadAt: deadAt.toISOString(), failures, failure };
    if (json) console.log(JSON.stringify(row));
    else console.log(`${participant}  ${event}  ${kind}  of ${row.at}  dead since ${row.deadAt}  ${failures} tries, last: ${failure.err}`);
  }
  if (dead.length === 0) console.log('No dead letters.');
}

function atDesk(work: (desk: Desk) => Promise<void>): Promise<void> {
  return onDatabase((database, config) => {
    const book = new PgWebhookBook(database);
    return work({ book, webhooks: new Webhooks(book, nodeClerk, systemClock, addressCheck(config)) });
  });
}
