import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { HealthController } from '#platform/adapters/health.controller';
import { JwksController } from '#platform/adapters/jwks.controller';
import { callers, type Scope, SCOPES } from './caller.js';
import { TokenVerifier } from './token-verifier.js';

/** What anybody may ask: whether we live, and our public keys. */
const OPEN: ReadonlySet<unknown> = new Set([HealthController, JwksController]);

/** Every HTTP handler authenticates its caller; one that declares no scopes is a defect, not an open door. gRPC handlers do it themselves. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http' || OPEN.has(context.getClass())) return true;
    const scopes = this.reflector.getAllAndOverride<readonly Scope[] | undefined>(SCOPES, [context.getHandler(), context.getClass()]);
    if (!scopes) throw new Error(`${context.getClass().name}.${context.getHandler().name} declares no @Scopes`);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    callers.set(request, await this.tokens.authorize(request.headers.authorization, scopes));
    return true;
  }
}
