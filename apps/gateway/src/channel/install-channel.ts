import type { Server } from 'node:tls';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '#kernel';
import { trustPollMs } from '#platform/adapters/mtls-trust';
import { sendProblem } from '#platform/adapters/problem.filter';
import { admit, type Channel, identify, isOperation } from './admit.js';
import type { CallBudget } from './call-budget.js';
import { setCaller } from './caller.js';
import { OpenConnections } from './open-connections.js';
import { refusedTotal } from './refused-total.js';

/**
 * Puts the channel before everything else: no route, known or unknown, and no body parser is reached by a request that it does not admit.
 * A refused connection is closed after the answer. Also keeps trust fresh and closes connections whose peer loses its access.
 */
export function installChannel(app: NestFastifyApplication, channel: Channel, budget: CallBudget, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  fastify.addHook('onRequest', async (request, reply) => {
    if (isOperation(request)) return;
    try {
      const caller = admit(request, channel);
      await budget.spend(caller.participant.id);
      setCaller(request, caller);
    } catch (error) {
      if (!(error instanceof Refusal && error.kind === 'throttled')) void reply.header('connection', 'close');
      if (error instanceof Refusal) {
        refusedTotal.inc({ code: error.code });
        logger.warn({ code: error.code, correlationId: request.id, peer: request.ip }, 'not admitted');
      }
      sendProblem(error, request, reply, logger);
      return reply;
    }
  });
  const stop = keepFresh(fastify.server as unknown as Server, channel, logger);
  fastify.addHook('onClose', async () => {
    stop();
    budget.close();
  });
}

function keepFresh(server: Server, channel: Channel, logger: Logger): () => void {
  const connections = new OpenConnections((socket) => void identify(socket, channel));
  connections.watch(server);
  const review = () => {
    const closed = connections.review();
    if (closed > 0) logger.warn({ closed }, 'closed connections whose peer lost its access');
  };
  channel.registry.onChange(review);
  channel.trust.onChange(() => {
    server.setSecureContext(channel.trust.secureContext());
    review();
  });
  const timer = setInterval(() => void channel.trust.poll(), trustPollMs).unref();
  return () => clearInterval(timer);
}
