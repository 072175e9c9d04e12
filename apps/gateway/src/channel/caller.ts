import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { invariant } from '#kernel';
import type { Participant } from '#partners';
import { KeptOn } from '#platform';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';

/** Who calls, as the channel found it: never taken from a header. */
export interface ChannelCaller {
  readonly participant: Participant;
  readonly certificate: TransportIdentity;
}

const callers = new KeptOn<FastifyRequest, ChannelCaller>();

export function setCaller(request: FastifyRequest, caller: ChannelCaller): void {
  callers.set(request, caller);
}

export function findCaller(request: FastifyRequest): ChannelCaller | undefined {
  return callers.get(request);
}

function callerOf(context: ExecutionContext): ChannelCaller {
  const caller = callers.get(context.switchToHttp().getRequest<FastifyRequest>());
  invariant(caller, 'the channel lets nobody through to a controller unidentified');
  return caller;
}

/** The participant that calls: `me(@Caller() caller: Participant)`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Participant => callerOf(context).participant);

/** The certificate that it called with. */
export const CallerCertificate = createParamDecorator(
  (_: unknown, context: ExecutionContext): TransportIdentity => callerOf(context).certificate,
);
