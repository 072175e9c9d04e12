import { Body, Controller, Get, Headers, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { parseIdempotencyKey } from '#contract';
import { type Clock, parseId, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { parseAppeal, parseRestrictionId, Restrictions, showAppeal, showHistory } from '#standing';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { Reads } from './reads/reads.js';

/** What stands against a subject, what stood, and the subject's appeals (CONTRACT.md §6). */
@ApiTags('restrictions')
@Controller('v1/subjects/:id/restrictions')
export class RestrictionsController {
  constructor(
    @Inject(Restrictions) private readonly restrictions: Restrictions,
    @Inject(PgRestrictionReader) private readonly reader: PgRestrictionReader,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Reads('restrictions.list')
  @Scopes('standing:read')
  @ApiOperation({ summary: 'Restrictions in force and over, the newest first, with terms, cure, appeal clock and appeal' })
  async list(@Param('id') id: string): Promise<object> {
    const subject = parseId('sub', id);
    const history = await this.reader.ofSubject(subject);
    if (!history) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
    const at = this.clock.now();
    return { subject: id, restrictions: history.map((one) => showHistory(one, subject.shard, at)) };
  }

  @Post(':restrictionId/appeals')
  @Scopes('appeals:write')
  @ApiOperation({
    summary: "Bring a subject's appeal against a restriction: one each, within its appeal clock; answered by staff until dueAt",
  })
  async appeal(
    @Caller() caller: ServiceCaller,
    @Headers('idempotency-key') key: unknown,
    @Param('id') id: string,
    @Param('restrictionId') restrictionId: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const subject = parseId('sub', id);
    const wish = { caller: caller.name, key: parseIdempotencyKey(key), grounds: parseAppeal(body) };
    const { appeal, repeated } = await this.restrictions.appeal(subject, parseRestrictionId(restrictionId, subject), wish);
    if (repeated) void reply.status(200).header('idempotency-hit', 'true');
    return showAppeal(appeal, this.clock.now());
  }
}
