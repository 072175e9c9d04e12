import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { parsePollRequest, type PollAnswer } from '#contract';
import type { Participant } from '#partners';
import { PollEvents } from '#standing';
import { Caller } from './channel/caller.js';

/** What a participant is told, as signed event tokens it fetches and acknowledges (RFC 8417, RFC 8936). */
@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(@Inject(PollEvents) private readonly events: PollEvents) {}

  @Post('poll')
  @HttpCode(200)
  @ApiOperation({ summary: 'Acknowledge what you stored, fetch what waits; without returnImmediately up to 25 s' })
  async poll(@Caller() caller: Participant, @Res({ passthrough: true }) reply: FastifyReply, @Body() body: unknown): Promise<PollAnswer> {
    return this.events.run(caller.id, parsePollRequest(body), goneSignal(reply));
  }
}

/** Aborts when the caller hangs up, so that nobody waits for nobody. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
