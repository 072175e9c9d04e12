import type { Metadata } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import type { Scope, ServiceCaller } from './auth/caller.js';
import type { TokenVerifier } from './auth/token-verifier.js';
import type { DecisionDoor } from './decision-door.js';
import { rpcException } from './grpc-status.js';

/** A unary call over gRPC: its token is checked, and what it refuses is told as a status with the stable code in the trailer. */
export class GrpcCall {
  constructor(
    private readonly door: DecisionDoor,
    private readonly tokens: TokenVerifier,
  ) {}

  async answer<T>(metadata: Metadata, scopes: readonly Scope[], work: (caller: ServiceCaller) => Promise<T>): Promise<T> {
    try {
      return await work(await this.tokens.authorize(metadata.get('authorization')[0]?.toString(), scopes));
    } catch (error) {
      throw rpcException(this.door.problemOf(error, randomUUID()));
    }
  }
}
