import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { AllowanceAnswer, AllowanceSettlementAnswer, AllowanceStatus } from '#contract';
import { AllowanceDoor } from './allowance-door.js';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';

/** What a service may spend while nobody can be asked, and what it spent. */
@ApiTags('allowances')
@Controller('v1/allowances')
@Scopes('allowances:issue')
export class AllowancesController {
  constructor(@Inject(AllowanceDoor) private readonly door: AllowanceDoor) {}

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
    const { answer, replayed } = await this.door.issue(caller.name, body, key);
    if (replayed) void reply.header('idempotency-hit', 'true');
    return answer;
  }

  @Get(':id')
  @ApiOperation({ summary: 'What was spent of it, and whether its amount is still held' })
  find(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<AllowanceStatus> {
    return this.door.find(caller.name, id);
  }

  @Post(':id/settlements')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Report what was spent; each payment reference counts once. "close" frees the rest. Late reports count as used',
  })
  settle(@Caller() caller: ServiceCaller, @Param('id') id: string, @Body() body: unknown): Promise<AllowanceSettlementAnswer> {
    return this.door.settle(caller.name, id, body);
  }
}
