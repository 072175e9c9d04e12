import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { GatherEvidence } from '#audit';
import { RECORD_EVIDENCE_TYPE } from '#evidence';
import { invariant } from '#kernel';
import type { Participant } from '#partners';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { RecordFinder } from '#records';
import { Caller } from './channel/caller.js';
import { findOwnRecord } from './own-record.js';

/** What proves a record years later, without us (CONTRACT.md §3). */
@ApiTags('records')
@Controller('v1/records')
export class RecordEvidenceController {
  constructor(
    @Inject(PgRecordBook) private readonly records: RecordFinder,
    @Inject(GatherEvidence) private readonly gather: GatherEvidence,
  ) {}

  @Get(':jti/evidence')
  @ApiProduces(RECORD_EVIDENCE_TYPE)
  @ApiOperation({
    summary: 'The raw evidence of a record you sent, to verify offline with `tallystick verify`',
    description: 'A fact that is not sealed yet (10 s) has no proof yet: ask again.',
  })
  async evidence(
    @Caller() caller: Participant,
    @Param('jti') jti: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const record = await findOwnRecord(this.records, caller, jti);
    const receipt = (await this.records.receiptsOf(caller.id, [jti])).get(jti);
    invariant(receipt !== undefined, 'an accepted record has its receipt');
    const evidence = await this.gather.of(caller, record, receipt);
    void reply.type(RECORD_EVIDENCE_TYPE);
    return JSON.stringify(evidence);
  }
}
