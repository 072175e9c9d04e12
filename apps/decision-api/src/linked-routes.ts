import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '#kernel';
import { sendProblem } from '#platform/adapters/problem.filter';
import type { Scope, ServiceCaller } from './auth/caller.js';
import type { TokenVerifier } from './auth/token-verifier.js';
import { keyOf } from './decision-routes.js';
import type { LinkedDoor } from './linked-door.js';

/** Fastify writes a literal colon as two. */
const PATH = '/v1/decisions::linked';

/** Beside the other verbs of `/v1/decisions`, whose colon Nest's router does not know. */
export function registerLinkedRoutes(fastify: FastifyInstance, door: LinkedDoor, tokens: TokenVerifier, logger: Logger): void {
  const answering =
    (scope: Scope, answer: (caller: ServiceCaller, request: FastifyRequest, reply: FastifyReply) => Promise<object>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        return await answer(await tokens.authorize(request.headers.authorization, [scope]), request, reply);
      } catch (error) {
        sendProblem(error, request, reply, logger);
        return reply;
      }
    };

  fastify.post(
    PATH,
    answering('decisions:reserve', async (caller, request, reply) => {
      const { answer, replayed } = await door.decide(caller, request.body, keyOf(request));
      if (replayed) reply.header('idempotency-hit', 'true');
      return answer;
    }),
  );

  fastify.get(
    PATH,
    answering('decisions:evaluate', async (caller, request) => {
      const { subject, key } = request.query as Readonly<Record<string, unknown>>;
      if (typeof subject !== 'string' || typeof key !== 'string')
        throw new Refusal('malformed', 'decision.malformed', 'name both key and subject', {
          field: typeof key === 'string' ? 'subject' : 'key',
        });
      return await door.find(caller, subject, key);
    }),
  );
}
