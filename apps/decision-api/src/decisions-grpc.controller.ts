import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import { batchItemsMax, parseSettlementRequest } from '#contract';
import type { Settlement } from '#decisions';
import { parseId, Refusal } from '#kernel';
import type { ServiceCaller } from './auth/caller.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { DecisionDoor } from './decision-door.js';
import { DecisionProofs } from './decision-proofs.js';
import { answerStream } from './decision-stream.js';
import { type GrpcDecisionRequest, type GrpcResult, keyOfMessage, toAnswerMessage, wireOf } from './grpc-messages.js';
import { rpcException } from './grpc-status.js';
import { OpenStreams } from './open-streams.js';

interface GrpcSettlementRequest {
  readonly reservationId?: string;
  readonly amount?: { readonly amount?: string; readonly currency?: string };
  readonly idempotencyKey?: string;
}

/** The same decisions over gRPC. Tokens are checked per call and, on a stream, per message. */
@Controller()
export class DecisionsGrpcController {
  constructor(
    @Inject(DecisionDoor) private readonly door: DecisionDoor,
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(DecisionProofs) private readonly proofs: DecisionProofs,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
  ) {}

  @GrpcMethod('DecisionService', 'Decide')
  async decide(message: GrpcDecisionRequest, metadata: Metadata) {
    return await this.answer(metadata, async (caller) =>
      toAnswerMessage(await this.door.decide(caller, wireOf(message), keyOfMessage(message))),
    );
  }

  @GrpcMethod('DecisionService', 'DecideBatch')
  async decideBatch(batch: { readonly items?: readonly GrpcDecisionRequest[] }, metadata: Metadata) {
    return await this.answer(metadata, async (caller) => {
      const items = batch.items ?? [];
      if (items.length === 0 || items.length > batchItemsMax) {
        throw new Refusal('malformed', 'decision.malformed', 'a batch has 1 to 100 items', { limit: `batchItemsMax=${batchItemsMax}` });
      }
      return { results: await Promise.all(items.map((item) => this.result(caller, item))) };
    });
  }

  @GrpcStreamCall('DecisionService', 'DecideStream')
  decideStream(call: ServerDuplexStream<GrpcDecisionRequest, GrpcResult>): void {
    const caller = this.authorize(call.metadata);
    answerStream(
      call,
      caller,
      (admitted, message) => this.result(admitted, message),
      (error) => this.door.problemOf(error, randomUUID()),
      this.streams,
    );
  }

  @GrpcMethod('DecisionService', 'Confirm')
  confirm(message: GrpcSettlementRequest, metadata: Metadata) {
    return this.settle('confirm', message, metadata);
  }

  @GrpcMethod('DecisionService', 'Release')
  release(message: GrpcSettlementRequest, metadata: Metadata) {
    return this.settle('release', message, metadata);
  }

  @GrpcMethod('DecisionService', 'Refund')
  refund(message: GrpcSettlementRequest, metadata: Metadata) {
    return this.settle('refund', message, metadata);
  }

  @GrpcMethod('DecisionService', 'GetReceipt')
  async getReceipt({ decisionId = '' }: { readonly decisionId?: string }, metadata: Metadata) {
    return await this.answer(metadata, async (caller) => {
      this.tokens.admit(caller, ['decisions:evaluate']);
      return await this.proofs.receipt(parseId('dec', decisionId), caller.name);
    });
  }

  private async settle(
    kind: Settlement['kind'],
    { reservationId = '', amount, idempotencyKey }: GrpcSettlementRequest,
    metadata: Metadata,
  ) {
    return await this.answer(metadata, async (caller) => {
      this.tokens.admit(caller, ['decisions:reserve']);
      const request = parseSettlementRequest(amount === undefined ? {} : { amount });
      const { answer, replayed } = await this.door.settle(caller, reservationId, { kind, ...request }, idempotencyKey || undefined);
      return { ...answer, idempotencyHit: replayed };
    });
  }

  private async result(caller: ServiceCaller, message: GrpcDecisionRequest): Promise<GrpcResult> {
    const tag = message.tag ?? '0';
    try {
      const decided = await this.door.decide(caller, wireOf(message), keyOfMessage(message));
      return { tag, answer: toAnswerMessage(decided) };
    } catch (error) {
      return { tag, problem: this.door.problemOf(error, randomUUID()) };
    }
  }

  private async answer<T>(metadata: Metadata, work: (caller: ServiceCaller) => Promise<T>): Promise<T> {
    try {
      return await work(await this.authorize(metadata));
    } catch (error) {
      throw rpcException(this.door.problemOf(error, randomUUID()));
    }
  }

  private async authorize(metadata: Metadata): Promise<ServiceCaller> {
    return await this.tokens.authorize(metadata.get('authorization')[0]?.toString(), []);
  }
}
