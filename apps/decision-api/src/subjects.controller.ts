import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Link } from '#consents';
import { parseCreateLink, parseIdempotencyKey, parseRegisterSubject } from '#contract';
import { type Clock, formatId, parseId, Refusal } from '#kernel';
import { ParticipantRegistry } from '#partners';
import { CLOCK } from '#platform/adapters/platform.module';
import { showRestriction, type StandingReader, Subjects } from '#standing';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { Reads } from './reads/reads.js';

/** Subjects, their links to participants, and their standing (CONTRACT.md §5). */
@ApiTags('subjects')
@Controller('v1/subjects')
export class SubjectsController {
  constructor(
    @Inject(Subjects) private readonly subjects: Subjects,
    @Inject(PgStandingReader) private readonly standings: StandingReader,
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @Scopes('subjects:write')
  @ApiOperation({ summary: 'Register a person or merchant; the same Idempotency-Key gives the same subject' })
  async register(
    @Caller() caller: ServiceCaller,
    @Headers('idempotency-key') key: unknown,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { kind } = parseRegisterSubject(body);
    const { id, repeated } = await this.subjects.register({ caller: caller.name, key: parseIdempotencyKey(key), kind });
    if (repeated) sayRepeated(reply);
    return { id: formatId('sub', id), kind };
  }

  @Post(':id/links')
  @Scopes('subjects:write')
  @ApiOperation({ summary: 'Let a participant report on a subject; the participant hears link.created. Asked again, the same link' })
  async link(@Param('id') id: string, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const wish = parseCreateLink(body);
    const participant = this.registry.get(wish.participant);
    if (participant.state === 'CLOSED') {
      throw new Refusal('unprocessable', 'participant.closed', `${participant.id} is closed and takes no new links`, {
        field: '/participant',
      });
    }
    const { link, repeated } = await this.subjects.link(parseId('sub', id), wish);
    if (repeated) sayRepeated(reply);
    return linkAnswer(link);
  }

  @Post(':id/links/:ref/end')
  @HttpCode(200)
  @Scopes('subjects:write')
  @ApiOperation({ summary: 'End a link: no new ratings on it; what the participant still owes is accepted' })
  async endLink(@Param('id') id: string, @Param('ref') ref: string): Promise<object> {
    return linkAnswer(await this.subjects.endLink(parseId('sub', id), parseId('lnk', ref)));
  }

  @Get(':id/standing')
  @Reads('standing')
  @Scopes('standing:read')
  @ApiOperation({ summary: 'Score with reasons, and the restrictions in force now' })
  async standing(@Param('id') id: string): Promise<object> {
    const [standing] = await this.standings.load([parseId('sub', id)]);
    if (!standing) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
    const { subject, kind, version, score, factors, restrictions } = standing;
    const at = this.clock.now();
    const inForce = restrictions.filter(({ endsAt }) => !endsAt || endsAt > at);
    return {
      subject: formatId('sub', subject),
      kind,
      version: version.toString(),
      score,
      factors,
      restrictions: inForce.map((one) => showRestriction(one, subject.shard)),
    };
  }
}

function linkAnswer({ ref, subject, participant, createdAt, endedAt }: Link): object {
  return {
    ref: formatId('lnk', ref),
    subject: formatId('sub', subject),
    participant,
    state: endedAt ? 'ENDED' : 'ACTIVE',
    createdAt: createdAt.toISOString(),
    ...(endedAt ? { endedAt: endedAt.toISOString() } : {}),
  };
}

function sayRepeated(reply: FastifyReply): void {
  void reply.status(200).header('idempotency-hit', 'true');
}
