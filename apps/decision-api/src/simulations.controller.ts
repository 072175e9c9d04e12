import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Metadata } from '@grpc/grpc-js';
import { GrpcMethod } from '@nestjs/microservices';
import { parseSimulationRequest, type SimulationAnswer } from '#contract';
import { SimulationFlow } from '#decisions';
import { Scopes } from './auth/caller.js';
import { GrpcCall } from './grpc-call.js';

/** What would be decided under conditions that the caller supposes. Changes nothing and records nothing. */
@ApiTags('decisions')
@Controller('v1/decisions/simulations')
@Scopes('decisions:simulate')
export class SimulationsController {
  constructor(@Inject(SimulationFlow) private readonly simulations: SimulationFlow) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'simulate',
    summary: 'What if: another score, tier, policy version (a draft too), moment or usage; changes nothing and leaves nothing',
  })
  async simulate(@Body() body: unknown): Promise<SimulationAnswer> {
    return await this.simulations.run(parseSimulationRequest(body));
  }
}

@Controller()
export class SimulationsGrpcController {
  constructor(
    @Inject(GrpcCall) private readonly call: GrpcCall,
    @Inject(SimulationFlow) private readonly simulations: SimulationFlow,
  ) {}

  @GrpcMethod('DecisionService', 'Simulate')
  simulate(message: unknown, metadata: Metadata) {
    return this.call.answer(metadata, ['decisions:simulate'], async () => await this.simulations.run(parseSimulationRequest(message)));
  }
}
