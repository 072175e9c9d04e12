import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  DISPUTE_STATES,
  parseDisputeInformation,
  parseDisputePage,
  parseIdempotencyKey,
  parseOpenDispute,
  parseRecordPage,
} from '#contract';
import { AffectedDecisions, type AffectedPage, showAffected, showRedecided } from '#decisions';
import { affectedDecisions } from '#decisions/adapters/pg-affected-decisions';
import { type Clock, formatId, parseId, Refusal } from '#kernel';
import { Database } from '#platform';
import { disputeId } from '#records';
import { CLOCK } from '#platform/adapters/platform.module';
import { type DisputeFile, Disputes, disputeUnknown, showDispute, showSubjectRecord } from '#standing';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { Reads } from './reads/reads.js';

export const AFFECTED_DECISIONS = { provide: AffectedDecisions, useFactory: affectedDecisions, inject: [Database] };

/** Subjects dispute records about them, and see what became of it and of the decisions in between (CONTRACT.md §3; FCRA §611). */
@ApiTags('disputes')
@Controller('v1')
export class DisputesController {
  constructor(
    @Inject(Disputes) private readonly disputes: Disputes,
    @Inject(PgDisputeReader) private readonly reader: PgDisputeReader,
    @Inject(AffectedDecisions) private readonly affected: AffectedDecisions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('subjects/:id/records')
  @Reads('records.list')
  @Scopes('disputes:read')
  @ApiQuery({ name: 'state', required: false, enum: ['IN_FORCE'], description: 'only what counts now, and so can be disputed' })
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({
    summary: 'The records about a subject, the newest first, in pages: whose, what kind, when, what became of them; without their content',
  })
  async records(@Param('id') id: string, @Query() query: unknown): Promise<object> {
    const subject = parseId('sub', id);
    const { after, countMax, inForce } = parseRecordPage(query);
    const page = { after: after === undefined ? undefined : BigInt(after), countMax, inForce };
    const records = await this.reader.recordsOf(subject, page);
    if (!records) throw subjectUnknown();
    const next = records.length === countMax ? { next: records.at(-1)!.factSeq.toString() } : {};
    return { subject: id, records: records.map((record) => showSubjectRecord(record, subject.shard)), ...next };
  }

  @Post('subjects/:id/disputes')
  @Scopes('disputes:write')
  @ApiOperation({
    summary: 'Dispute a record: when this answers, every answer that uses the record says so, and its furnisher has the dispute',
  })
  async open(
    @Caller() caller: ServiceCaller,
    @Headers('idempotency-key') key: unknown,
    @Param('id') id: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { record, code, statementDigest } = parseOpenDispute(body);
    const { dispute, repeated } = await this.disputes.open(parseId('sub', id), {
      openedBy: 'SUBJECT',
      caller: caller.name,
      key: parseIdempotencyKey(key),
      code,
      statementDigest,
      record: { iss: record.issuer, jti: record.jti },
    });
    if (repeated) sayRepeated(reply);
    return showDispute({ dispute, notices: [] }, this.clock.now());
  }

  @Get('subjects/:id/disputes')
  @Reads('disputes.list')
  @Scopes('disputes:read')
  @ApiQuery({ name: 'state', required: false, enum: DISPUTE_STATES, description: 'of one state only' })
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Disputes of records about a subject, the newest first, each with its clock and who has heard what, in pages' })
  async list(@Param('id') id: string, @Query() query: unknown): Promise<object> {
    const { after, limit, state } = parseDisputePage(query);
    const page = { after: after === undefined ? undefined : parseId('dsp', after).uuid, countMax: limit, state };
    const files = await this.reader.ofSubject(parseId('sub', id), page);
    if (!files) throw subjectUnknown();
    const at = this.clock.now();
    const next = files.length === limit ? { next: disputeId(files.at(-1)!.dispute) } : {};
    return { subject: id, disputes: files.map((file) => showDispute(file, at)), ...next };
  }

  @Get('disputes/:id')
  @Reads('disputes.one')
  @Scopes('disputes:read')
  @ApiOperation({ summary: 'A dispute with its clock, its answer and the proof of delivery to everybody who was told' })
  async find(@Param('id') id: string): Promise<object> {
    return showDispute(await this.get(id), this.clock.now());
  }

  @Post('disputes/:id/information')
  @HttpCode(200)
  @Scopes('disputes:write')
  @ApiOperation({ summary: 'What the subject adds; the furnisher hears of it and has 15 days more, once' })
  async add(@Param('id') id: string, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { dispute, repeated } = await this.disputes.add(parseId('dsp', id), parseDisputeInformation(body).statementDigest);
    if (repeated) sayRepeated(reply);
    return showDispute({ dispute, notices: [] }, this.clock.now());
  }

  @Get('disputes/:id/decisions')
  @Reads('disputes.decisions')
  @Scopes('disputes:read')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiOperation({ summary: 'The decisions that used the disputed record, in their order' })
  async decisions(@Param('id') id: string, @Query('after') after: unknown): Promise<object> {
    const page = await this.affected.list(parseId('dsp', id), parseAfter(after));
    const { dispute } = await this.get(id);
    return { subject: formatId('sub', dispute.subject), ...pageOf(id, page, showAffected) };
  }

  @Post('disputes/:id/re-evaluations')
  @HttpCode(200)
  @Scopes('disputes:write')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiOperation({ summary: 'Decides them again as they should have been, and says which would be other; changes nothing, and is a fact' })
  async redecide(@Caller() caller: ServiceCaller, @Param('id') id: string, @Query('after') after: unknown): Promise<object> {
    return pageOf(id, await this.affected.redecide(parseId('dsp', id), caller.name, parseAfter(after)), showRedecided);
  }

  private async get(id: string): Promise<DisputeFile> {
    const file = await this.reader.find(parseId('dsp', id));
    if (!file) throw disputeUnknown();
    return file;
  }
}

function pageOf<T>(dispute: string, { decisions, next }: AffectedPage<T>, show: (one: T) => object): object {
  return { dispute, decisions: decisions.map(show), ...(next === undefined ? {} : { next: next.toString() }) };
}

function parseAfter(after: unknown): bigint {
  if (after === undefined) return 0n;
  if (typeof after === 'string' && /^[0-9]{1,18}$/.test(after)) return BigInt(after);
  throw new Refusal('malformed', 'page.malformed', 'after is the `next` of the page before', { field: 'after' });
}

function subjectUnknown(): Refusal {
  return new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
}

function sayRepeated(reply: FastifyReply): void {
  void reply.status(200).header('idempotency-hit', 'true');
}
