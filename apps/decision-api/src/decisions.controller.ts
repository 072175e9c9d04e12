import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type DecisionAnswer, parseIdempotencyKey } from '#contract';
import { answerOf, type DecisionLedger, type DecisionRow, decisionUnknown, isDecisionOf } from '#decisions';
import { PgDecisionLedger } from '#decisions/adapters/pg-decision-ledger';
import { parseId, Refusal } from '#kernel';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { DecisionProofs, type ProvenReceipt } from './decision-proofs.js';

/** Reading what was decided: by id, or by key after a timeout. A caller sees its own decisions. */
@ApiTags('decisions')
@Controller('v1/decisions')
@Scopes('decisions:evaluate')
export class DecisionsController {
  constructor(
    @Inject(PgDecisionLedger) private readonly ledger: DecisionLedger,
    @Inject(DecisionProofs) private readonly proofs: DecisionProofs,
  ) {}

  /** Keys belong to a subject: the subject says on which shard to look. */
  @Get()
  async findByKey(
    @Caller() caller: ServiceCaller,
    @Query('key') key: string | undefined,
    @Query('subject') subject: string | undefined,
  ): Promise<DecisionAnswer> {
    if (!key || !subject)
      throw new Refusal('malformed', 'decision.malformed', 'name both key and subject', { field: key ? 'subject' : 'key' });
    return told(
      await this.ledger.findByKey({ subject: parseId('sub', subject), caller: caller.name, key: parseIdempotencyKey(key) }),
      caller,
    );
  }

  @Get(':id')
  async find(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<DecisionAnswer> {
    return told(await this.ledger.findById(parseId('dec', id)), caller);
  }

  @Get(':id/receipt')
  @ApiOperation({
    summary:
      'The decision as a signed receipt (JWS, typ decision-receipt+jwt) and, once sealed, its place in the log with proof: "tallystick replay" decides again offline',
  })
  @ApiOkResponse({
    schema: {
      type: 'object',
      required: ['receipt', 'fact'],
      properties: {
        receipt: { type: 'string', description: 'compact JWS (RFC 7515), EdDSA' },
        fact: { type: 'string', description: 'the log’s fact of this decision' },
        logIndex: { type: 'string', description: 'once sealed' },
        proof: { type: 'string', description: 'once sealed: .tlog-proof (C2SP) with the log’s entry' },
      },
    },
  })
  async receipt(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<ProvenReceipt> {
    return await this.proofs.receipt(parseId('dec', id), caller.name);
  }

  @Get(':id/proof')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'The proof that the log holds the decision: a .tlog-proof (C2SP), for "tallystick verify"' })
  @ApiProduces('text/plain')
  async proof(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<string> {
    return await this.proofs.proof(parseId('dec', id), caller.name);
  }
}

function told(row: DecisionRow | undefined, caller: ServiceCaller): DecisionAnswer {
  if (!row || !isDecisionOf(row, caller.name)) throw decisionUnknown();
  return answerOf(row);
}
