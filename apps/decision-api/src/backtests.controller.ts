import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type BacktestAnswer,
  type BacktestReportAnswer,
  parseBacktestRequest,
  parseIdempotencyKey,
  type WireBacktestRequest,
} from '#contract';
import { type AskedPolicy, type BacktestAsk, Backtests, showBacktest, showBacktestReport } from '#decisions';
import { type Clock, parseId } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { actorOf } from './actor.js';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';

const shownMax = 50;

/** Recorded history decided again under another policy, as the console and the command line ask for it; the worker does it. */
@ApiTags('policies')
@Controller('v1/backtests')
export class BacktestsController {
  constructor(
    @Inject(Backtests) private readonly backtests: Backtests,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(202)
  @Scopes('policies:write')
  @ApiOperation({
    summary: 'Decide recorded history again under a version, a document, or each decision’s own version; a job of the worker',
  })
  async request(
    @Caller() caller: ServiceCaller,
    @Headers('idempotency-key') key: unknown,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BacktestAnswer> {
    const asker = { by: actorOf(caller), key: parseIdempotencyKey(key) };
    const { backtest, repeated } = await this.backtests.requestOnce(
      askOf(parseBacktestRequest(body)),
      asker,
      this.clock.now(),
      randomBytes(10),
    );
    if (repeated) void reply.status(200).header('idempotency-hit', 'true');
    return showBacktest(backtest);
  }

  @Get()
  @Scopes('policies:read')
  @ApiOperation({ summary: 'The latest back-tests, whoever asked for them, and how far they are' })
  async list(): Promise<{ backtests: BacktestAnswer[] }> {
    return { backtests: (await this.backtests.list(shownMax)).map(showBacktest) };
  }

  @Get(':id')
  @Scopes('policies:read')
  @ApiOperation({ summary: 'How far a back-test is' })
  async find(@Param('id') id: string): Promise<BacktestAnswer> {
    return showBacktest(await this.backtests.get(parseId('bkt', id).uuid));
  }

  @Get(':id/report')
  @Scopes('policies:read')
  @ApiOperation({ summary: 'What a finished back-test found: who would change, by tier, amount, reason and limit, with examples' })
  async report(@Param('id') id: string): Promise<BacktestReportAnswer> {
    return showBacktestReport(await this.backtests.get(parseId('bkt', id).uuid));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Scopes('policies:write')
  @ApiOperation({ summary: 'Stop a back-test; what is stopped already stays so' })
  async cancel(@Param('id') id: string): Promise<BacktestAnswer> {
    return showBacktest(await this.backtests.cancel(parseId('bkt', id).uuid));
  }
}

function askOf({ version, document, from, to, assume = 'CONFIRMED', begin = 'CONTINUE' }: WireBacktestRequest): BacktestAsk {
  const policy: AskedPolicy = version !== undefined ? { version: BigInt(version) } : document ? { document } : 'RECORDED';
  return { policy, from: from === undefined ? undefined : new Date(from), to: to === undefined ? undefined : new Date(to), assume, begin };
}
