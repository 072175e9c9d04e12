import type { Server } from 'node:tls';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '#kernel';
import { trustPollMs } from '#platform/adapters/mtls-trust';
import { sendProblem } from '#platform/adapters/problem.filter';
import { admit, type Channel, identify, isOperation } from './admit.js';
import { type CallBudget, callsTooMany } from './call-budget.js';
import { setCaller } from './caller.js';
import type { ConnectionLimit } from './connection-limit.js';
import type { SmallCalls } from './give-way.js';
import { isLargeTransfer, LargeTransfers } from './large-transfers.js';
import { limitHandshakes, type HandshakeLimits } from './limit-handshakes.js';
import { OpenConnections } from './open-connections.js';
import { refusedTotal } from './refused-total.js';

/** What one partner may take of this door, so that something is left for the others. */
export interface ChannelLimits {
  readonly budget: CallBudget;
  readonly connections: ConnectionLimit;
  readonly handshakes: HandshakeLimits;
  /** Told of each call, but of those that may carry gigabytes: these give way to the others. */
  readonly smallCalls: SmallCalls;
}

/**
 * Puts the channel before everything else: no route, known or unknown, and no body parser is reached by a request that it does not admit.
 * A refused connection is closed after the answer. Also keeps trust fresh and closes connections whose peer loses its access.
 */
export function installChannel(app: NestFastifyApplication, channel: Channel, limits: ChannelLimits, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const server = fastify.server as unknown as Server;
  const { budget, connections, smallCalls } = limits;
  const transfers = new LargeTransfers();
  fastify.addHook('onRequest', async (request, reply) => {
    if (isOperation(request)) return;
    const { socket } = request.raw;
    try {
      const caller = admit(request, channel);
      setCaller(request, caller);
      connections.begin(caller.participant.id, socket);
      reply.raw.once('close', () => connections.end(socket));
      await budget.spend(caller.participant.id, () => socket.destroyed);
      transfers.begin(caller.participant.id, request, reply);
      if (!isLargeTransfer(request)) smallCalls.arrive();
    } catch (error) {
      refuse(error, request, reply, logger);
      return reply;
    }
  });
  const endHandshakes = limitHandshakes(server, limits.handshakes, logger);
  fastify.addHook('preClose', async () => endHandshakes());
  const stop = keepFresh(server, channel, logger);
  fastify.addHook('onClose', async () => {
    stop();
    budget.close();
  });
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const isBudget = error instanceof Refusal && error.code === callsTooMany;
  if (!isBudget) void reply.header('connection', 'close');
  if (error instanceof Refusal) refusedTotal.inc({ code: error.code });
  // The budget says itself when a flood begins and when it is over.
  if (error instanceof Refusal && !isBudget) logger.warn({ code: error.code, correlationId: request.id, peer: request.ip }, 'not admitted');
  sendProblem(error, request, reply, logger);
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
