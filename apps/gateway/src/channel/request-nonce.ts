import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { findSignedHead } from './install-signatures.js';
import type { RequestNonce } from './request-signature.js';

/** For routes that spend the nonce themselves (see `judgeBody`); undefined where the request need not be signed. */
export const SignedNonce = createParamDecorator(
  (_: unknown, context: ExecutionContext): RequestNonce | undefined =>
    findSignedHead(context.switchToHttp().getRequest<FastifyRequest>())?.nonce,
);
