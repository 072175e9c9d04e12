import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { KeptOn } from '#platform';

/** What a service account may do (CONTRACT.md §5). */
export type Scope =
  | 'decisions:evaluate'
  | 'decisions:reserve'
  | 'decisions:simulate'
  | 'allowances:issue'
  | 'policies:read'
  | 'policies:write'
  | 'standing:read'
  | 'subjects:write'
  | 'appeals:write'
  | 'disputes:read'
  | 'disputes:write'
  | 'consents:read'
  | 'consents:write';

/** The internal service behind a call, as its token names it. */
export interface ServiceCaller {
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
  /** The token's end; a stream checks it again with every message. */
  readonly expiresAtMs: number;
}

export const SCOPES = Symbol('SCOPES');

/** The scopes of which a caller needs every one. A handler without this decorator answers nobody. */
export const Scopes = (...scopes: readonly Scope[]) => SetMetadata(SCOPES, scopes);

export const callers = new KeptOn<object, ServiceCaller>();

/** The authenticated caller of this request. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): ServiceCaller => {
  const caller = callers.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (!caller) throw new Error('a handler asks for its caller but has no @Scopes');
  return caller;
});
