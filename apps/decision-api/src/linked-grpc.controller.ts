import type { Metadata } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { LinkedAnswer, LinkedResult } from '#contract';
import { GrpcCall } from './grpc-call.js';
import { LinkedDoor } from './linked-door.js';

interface GrpcLinkedRequest {
  readonly subject?: string;
  readonly items?: readonly object[];
  readonly idempotencyKey?: string;
}

/** Linked batches over gRPC. */
@Controller()
export class LinkedGrpcController {
  constructor(
    @Inject(GrpcCall) private readonly call: GrpcCall,
    @Inject(LinkedDoor) private readonly door: LinkedDoor,
  ) {}

  @GrpcMethod('DecisionService', 'DecideLinked')
  decideLinked({ idempotencyKey, ...body }: GrpcLinkedRequest, metadata: Metadata) {
    return this.call.answer(metadata, ['decisions:reserve'], async (caller) => {
      const { answer, replayed } = await this.door.decide(caller, body, idempotencyKey);
      return toMessage(answer, replayed);
    });
  }

  @GrpcMethod('DecisionService', 'FindLinked')
  findLinked({ subject = '', idempotencyKey = '' }: { readonly subject?: string; readonly idempotencyKey?: string }, metadata: Metadata) {
    return this.call.answer(metadata, ['decisions:evaluate'], async (caller) =>
      toMessage(await this.door.find(caller, subject, idempotencyKey), true),
    );
  }
}

function toMessage({ results, ...rest }: LinkedAnswer, replayed: boolean) {
  const messages = results.map((result: LinkedResult, tag) => ({ tag: String(tag), ...result }));
  return { ...rest, results: messages, idempotencyHit: replayed };
}
