import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { randomUUID } from 'node:crypto';
import { type OpenAnswerResult, parseOpenAnswers, type WireOpenAnswer } from '#contract';
import { OpenAnswers, readDecisionRequest } from '#decisions';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { DecisionDoor } from './decision-door.js';

/** What services said yes to on their own is told here when they are back (the SDK's open posture). */
@ApiTags('allowances')
@Controller('v1/open-answers')
@Scopes('decisions:reserve')
export class OpenAnswersController {
  constructor(
    @Inject(OpenAnswers) private readonly openAnswers: OpenAnswers,
    @Inject(DecisionDoor) private readonly door: DecisionDoor,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Report answers given without us; each is decided now under its own key, kept as a fact, and told again if repeated',
  })
  async report(@Caller() caller: ServiceCaller, @Body() body: unknown): Promise<{ readonly results: readonly OpenAnswerResult[] }> {
    const answers = parseOpenAnswers(body);
    return { results: await Promise.all(answers.map((answer) => this.reportOne(caller, answer))) };
  }

  private async reportOne(caller: ServiceCaller, { key, at, request }: WireOpenAnswer): Promise<OpenAnswerResult> {
    try {
      const read = readDecisionRequest({ ...request, mode: 'RESERVE' });
      const { answer } = await this.openAnswers.report({ caller: caller.name, key, request: read, answeredAt: new Date(at) });
      return { key, answer };
    } catch (error) {
      return { key, problem: this.door.problemOf(error, randomUUID()) };
    }
  }
}
