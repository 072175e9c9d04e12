import type { Metadata } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { AllowanceDoor } from './allowance-door.js';
import { GrpcCall } from './grpc-call.js';
import { toAnswerMessage } from './grpc-messages.js';

const SCOPES = ['allowances:issue'] as const;

interface IssueMessage {
  readonly idempotencyKey?: string;
}

interface SettlementMessage {
  readonly allowanceId?: string;
  readonly spends?: readonly object[];
}

/** Allowances over gRPC. */
@Controller()
export class AllowancesGrpcController {
  constructor(
    @Inject(GrpcCall) private readonly call: GrpcCall,
    @Inject(AllowanceDoor) private readonly door: AllowanceDoor,
  ) {}

  @GrpcMethod('DecisionService', 'IssueAllowance')
  issue({ idempotencyKey, ...body }: IssueMessage, metadata: Metadata) {
    return this.call.answer(metadata, SCOPES, async ({ name }) => {
      const { answer, replayed } = await this.door.issue(name, body, idempotencyKey);
      return { ...answer, decision: toAnswerMessage({ answer: answer.decision, replayed }) };
    });
  }

  @GrpcMethod('DecisionService', 'GetAllowance')
  find({ allowanceId = '' }: SettlementMessage, metadata: Metadata) {
    return this.call.answer(metadata, SCOPES, ({ name }) => this.door.find(name, allowanceId));
  }

  /** An empty list is not on the wire. */
  @GrpcMethod('DecisionService', 'SettleAllowance')
  settle({ allowanceId = '', spends = [], ...body }: SettlementMessage, metadata: Metadata) {
    return this.call.answer(metadata, SCOPES, ({ name }) => this.door.settle(name, allowanceId, { ...body, spends }));
  }
}
