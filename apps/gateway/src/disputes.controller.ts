import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DISPUTE_STATES, disputeAnswerRequest, flagRecordRequest, parseDisputeAnswer, parseDisputePage, parseFlagRecord } from '#contract';
import { type Clock, parseId } from '#kernel';
import type { Participant } from '#partners';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import { CLOCK } from '#platform/adapters/platform.module';
import { disputeId, type RecordFinder } from '#records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { Disputes, disputeUnknown, showToFurnisher } from '#standing';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import { Caller, CallerCertificate } from './channel/caller.js';
import { evidenceOf } from './channel/request-evidence.js';
import { findOwnRecord } from './own-record.js';

const bodyOf = (schema: z.ZodType) => ({ schema: z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as object });

/** Disputes of the calling participant's own records: another bank's dispute is as unknown as none (CONTRACT.md §3). */
@ApiTags('disputes')
@Controller('v1')
export class DisputesController {
  constructor(
    @Inject(Disputes) private readonly disputes: Disputes,
    @Inject(PgDisputeReader) private readonly reader: PgDisputeReader,
    @Inject(PgRecordBook) private readonly records: RecordFinder,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post('records/:jti/disputes')
  @ApiBody(bodyOf(flagRecordRequest))
  @ApiOperation({ summary: 'Flag a record of your own that you doubt: every answer that uses it says so, until you answer' })
  async flag(
    @Caller() caller: Participant,
    @Param('jti') jti: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const wish = parseFlagRecord(body);
    const { subject } = await findOwnRecord(this.records, caller, jti);
    const record = { iss: caller.id, jti };
    const { dispute, repeated } = await this.disputes.open(subject, { ...wish, openedBy: 'FURNISHER', caller: caller.id, record });
    if (repeated) sayRepeated(reply);
    return showToFurnisher(dispute, this.clock.now());
  }

  @Get('disputes')
  @ApiQuery({ name: 'state', required: false, enum: DISPUTE_STATES, description: 'of one state only' })
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Disputes of your records, the newest first, in pages' })
  async list(@Caller() caller: Participant, @Query() query: unknown): Promise<object> {
    const { after, limit, state } = parseDisputePage(query);
    const page = { after: after === undefined ? undefined : parseId('dsp', after).uuid, countMax: limit, state };
    const disputes = await this.reader.ofIssuer(caller.id, page);
    const at = this.clock.now();
    const next = disputes.length === limit ? { next: disputeId(disputes.at(-1)!) } : {};
    return { disputes: disputes.map((dispute) => showToFurnisher(dispute, at)), ...next };
  }

  @Get('disputes/:id')
  @ApiOperation({ summary: 'A dispute of a record of yours, with its clock' })
  async find(@Caller() caller: Participant, @Param('id') id: string): Promise<object> {
    const file = await this.reader.find(parseId('dsp', id));
    if (file?.dispute.record.iss !== caller.id) throw disputeUnknown();
    return showToFurnisher(file.dispute, this.clock.now());
  }

  @Post('disputes/:id/answer')
  @HttpCode(200)
  @ApiBody(bodyOf(disputeAnswerRequest))
  @ApiOperation({
    summary: 'Answer a dispute: VERIFIED with the digest of your evidence, CORRECTED or WITHDRAWN with the jti of your record',
    description: 'The signed request is kept as evidence. A correction or withdrawal that arrives by itself answers, too.',
  })
  async answer(
    @Caller() caller: Participant,
    @CallerCertificate() certificate: TransportIdentity,
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const evidence = { participant: caller.id, certificate: certificate.x5t, ...evidenceOf(request) };
    const { dispute, repeated } = await this.disputes.answer(caller.id, parseId('dsp', id), parseDisputeAnswer(body), evidence);
    if (repeated) sayRepeated(reply);
    return showToFurnisher(dispute, this.clock.now());
  }
}

function sayRepeated(reply: FastifyReply): void {
  void reply.status(200).header('idempotency-hit', 'true');
}
