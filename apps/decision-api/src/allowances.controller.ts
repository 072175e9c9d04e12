import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type AllowanceAnswer,
  type AllowanceSettlementAnswer,
  type AllowanceStatus,
  type GrantedAllowance,
  parseAllowanceRequest,
  parseAllowanceSettlement,
  parseIdempotencyKey,
  type SpendResult,
  type WireSpend,
} from '#contract';
import { type Allowance, Allowances, allowanceStatus, type Settled, signAllowance, type SpendReport } from '#decisions';
import type { Signer } from '#evidence';
import { formatId, parseId, parseMoney, Refusal } from '#kernel';
import type { Config } from '#platform';
import { PUBLISHED_SIGNERS } from '#platform/adapters/jwks.controller';
import { CONFIG } from '#platform/adapters/platform.module';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';

/** What a service may spend while nobody can be asked, and what it spent (CONTRACT.md §5). A holder sees its own. */
@ApiTags('allowances')
@Controller('v1/allowances')
@Scopes('allowances:issue')
export class AllowancesController {
  constructor(
    @Inject(Allowances) private readonly allowances: Allowances,
    @Inject(PUBLISHED_SIGNERS) private readonly signers: readonly Signer[],
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Reserve an amount to be spent in parts while decision-api is away; the same Idempotency-Key gives the same token',
  })
  async issue(
    @Caller() caller: ServiceCaller,
    @Headers('idempotency-key') key: unknown,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllowanceAnswer> {
    const { subject, service, amount, spends, seconds, counterparty, channel } = parseAllowanceRequest(body);
    const { decided, allowance } = await this.allowances.issue({
      ...{ holder: caller.name, key: parseIdempotencyKey(key), spends, seconds },
      request: { subject: parseId('sub', subject), service, money: parseMoney(amount, '/amount/amount'), counterparty, channel },
    });
    if (decided.replayed) void reply.header('idempotency-hit', 'true');
    return allowance ? { decision: decided.answer, ...(await this.grant(allowance)) } : { decision: decided.answer };
  }

  @Get(':id')
  @ApiOperation({ summary: 'What was spent of it, and whether its amount is still held' })
  async find(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<AllowanceStatus> {
    const { known, at } = await this.allowances.find(parseId('alw', id), caller.name);
    return allowanceStatus(known, at);
  }

  @Post(':id/settlements')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Report what was spent; each payment reference counts once. "close" frees the rest. Late reports count as used',
  })
  async settle(@Caller() caller: ServiceCaller, @Param('id') id: string, @Body() body: unknown): Promise<AllowanceSettlementAnswer> {
    const { spends, close = false } = parseAllowanceSettlement(body);
    const [first] = spends;
    const settled = await this.allowances.settle({
      ...{ allowance: parseId('alw', id), holder: caller.name, currency: first?.amount.currency, close },
      reports: spends.map((spend, i) => readSpend(spend, i, first!.amount.currency)),
    });
    return { ...allowanceStatus(settled.known, settled.at), results: settled.results.map(spendResult) };
  }

  private async grant(allowance: Allowance): Promise<Omit<GrantedAllowance, 'decision'>> {
    const { known, at } = await this.allowances.find(allowance.id, allowance.holder);
    return { allowance: allowanceStatus(known, at), token: signAllowance(allowance, this.signers[0]!, this.config.GATEWAY_ORIGIN) };
  }
}

/** One currency per report, and every amount above zero. */
function readSpend({ paymentReference, amount, at }: WireSpend, i: number, currency: string): SpendReport {
  const field = `/spends/${i}/amount`;
  const { minor } = parseMoney(amount, `${field}/amount`);
  if (amount.currency !== currency)
    throw new Refusal('unprocessable', 'currency.unsupported', 'an allowance is in one currency', { field: `${field}/currency` });
  if (minor === 0n) throw new Refusal('unprocessable', 'amount.not_positive', 'an amount must be above zero', { field: `${field}/amount` });
  return { paymentReference, minor, at: new Date(at) };
}

function spendResult({ report, result, code, reservation }: Settled['results'][number]): SpendResult {
  return { paymentReference: report.paymentReference, result, code, reservationId: reservation && formatId('rsv', reservation) };
}
