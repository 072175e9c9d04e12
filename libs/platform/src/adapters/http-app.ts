import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import { CORRELATION_HEADER, correlationIdOf } from '../correlation.js';
import { NestLogger } from '../logging.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';

export interface HttpAppOptions {
  readonly logger: Logger;
  readonly bodyBytesMax: number;
  /** TLS options for Node's https server; without them the door speaks plain HTTP (loopback, or behind a mesh). */
  readonly https?: object;
}

const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** A Nest application on Fastify as every door of ours needs it: correlation ids, problem+json, body limit, no slow headers. */
export async function createHttpApp(module: DynamicModule, options: HttpAppOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyBytesMax,
    genReqId: (request: { headers: Record<string, string | string[] | undefined> }) => correlationIdOf(request.headers[CORRELATION_HEADER]),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A path that cannot be decoded is answered before any hook runs, and still in our words.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.header(CORRELATION_HEADER, request.id);
      sendProblem(error, request, reply, options.logger);
    },
    ...(options.https ? { https: options.https } : {}),
  } as FastifyServerOptions);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(options.logger),
    rawBody: false,
    // A refusal to start is told by the caller in one sentence, not by a core dump.
    abortOnError: false,
  });
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', async (request, reply) => void reply.header(CORRELATION_HEADER, request.id));
  const server = fastify.server;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.useGlobalFilters(new ProblemFilter(options.logger));
  app.enableShutdownHooks();
  return app;
}
