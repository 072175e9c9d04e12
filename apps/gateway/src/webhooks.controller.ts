import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parsePage, parseResend, parseWebhookRegistration } from '#contract';
import { formatId, isUuid, Refusal } from '#kernel';
import type { Participant } from '#partners';
import { type DeadLetter, isAboutItself, showWebhook, type Webhook, Webhooks } from '#standing';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { Caller } from './channel/caller.js';

const REGISTRATION = `\`{ url, kinds? }\`: an https address of yours; \`kinds\` left out or empty: every kind. A new address gets a signed event
\`urn:tallystick:event:webhook.challenge\` first and must answer 200 with \`{ "challenge": … }\` as it stands there; until it has, nothing else is sent.
Events come as RFC 8935: \`application/secevent+jwt\`, signed as a message (RFC 9421) with our key of /.well-known/jwks.json. Answer 202 when you have
stored it, 400 \`{ "err", "description" }\` where you cannot take it, within 5 s. Polling goes on to work: one acknowledgement settles both.`;

/** Where a bank wants its events pushed. What is not pushed waits for `POST /v1/events/poll`. Every call may be repeated. */
@ApiTags('events')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(Webhooks) private readonly webhooks: Webhooks,
    @Inject(PgWebhookBook) private readonly book: PgWebhookBook,
  ) {}

  @Put()
  @HttpCode(200)
  @ApiOperation({ summary: 'Have your events pushed to an address of yours', description: REGISTRATION })
  async register(@Caller() caller: Participant, @Body() body: unknown): Promise<object> {
    return await this.view(await this.webhooks.register(caller.id, parseWebhookRegistration(body)));
  }

  @Get()
  @ApiOperation({
    summary: 'Your webhook: UNCONFIRMED, ACTIVE, FAILING or PAUSED, its last trouble, how many events wait, fail or are dead',
  })
  async read(@Caller() caller: Participant): Promise<object> {
    return await this.view(await this.webhooks.get(caller.id));
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Push no more; what waits is polled' })
  async remove(@Caller() caller: Participant): Promise<void> {
    await this.webhooks.remove(caller.id);
  }

  @Get('dead-letters')
  @ApiOperation({ summary: 'Events that could not be pushed for three days, the oldest first; pages by ?after= and ?limit=' })
  async deadLetters(@Caller() caller: Participant, @Query() query: unknown): Promise<object> {
    const { after, countMax } = parsePage(query);
    const found = await this.book.deadLetters([caller.id], countMax + 1, parseCursor(after));
    const page = found.slice(0, countMax);
    const next = found.length > countMax ? { next: formatCursor(page.at(-1)!) } : {};
    return { deadLetters: page.map(showDeadLetter), ...next };
  }

  @Post('dead-letters/resend')
  @HttpCode(200)
  @ApiOperation({ summary: 'Push dead letters again, { events?: [jti] }; left out: all. Answers how many' })
  async resend(@Caller() caller: Participant, @Body() body: unknown): Promise<{ resent: number }> {
    return { resent: await this.webhooks.resend(caller.id, parseResend(body), caller.id) };
  }

  private async view(webhook: Webhook): Promise<object> {
    const { participant, ...shown } = showWebhook(webhook);
    return { ...shown, events: (await this.book.backlog([participant])).get(participant) };
  }
}

type Cursor = Pick<DeadLetter, 'deadAt' | 'event'>;

/** The place of a dead letter in the list, for when it is none any more. */
function formatCursor({ deadAt, event }: Cursor): string {
  return `${deadAt.getTime()}.${event}`;
}

/** Refuses `query.malformed`. */
function parseCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const [, at, event = ''] = /^([0-9]{1,14})\.([0-9a-f-]{36})$/.exec(text) ?? [];
  if (isUuid(event)) return { deadAt: new Date(Number(at)), event };
  throw new Refusal('malformed', 'query.malformed', 'after must be the next of the page before', { field: 'after' });
}

function showDeadLetter({ event, kind, ref, at, deadAt, failures, failure }: DeadLetter): object {
  return {
    jti: event,
    kind,
    ...(isAboutItself(ref) ? {} : { sub: formatId('lnk', ref) }),
    at: at.toISOString(),
    deadAt: deadAt.toISOString(),
    failures,
    failure,
  };
}
