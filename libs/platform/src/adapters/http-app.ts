import type { Server } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '#kernel';
import { CORRELATION_HEADER, correlationIdOf } from '../correlation.js';
import { NestLogger } from '../logging.js';
import { answerClientError } from './client-errors.js';
import { hostDuplicate, hostsNamed } from './hosts-named.js';
import { limitConnections } from './limit-connections.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';

export interface HttpAppOptions {
  readonly logger: Logger;
  readonly bodyBytesMax: number;
  /** TLS options for Node's https server; without them the door speaks plain HTTP (loopback, or behind a mesh). */
  readonly https?: object;
  readonly timeouts?: RequestTimeouts;
  readonly connectionsMax?: number;
}

/** How long a request may take to come. Node looks every `checkMs`, so headers are cut after `headersMs + checkMs` at the latest. */
export interface RequestTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
}

/** Slow headers are cut within 30 s. Node's own check runs each 30 s, which would make it 45. */
export const REQUEST_TIMEOUTS: RequestTimeouts = { headersMs: 15_000, requestMs: 30_000, checkMs: 5_000 };

/**
 * Connections that wait to be accepted; the kernel cuts it to its own `somaxconn`. With Node's 511, of 8,000 callers who came at once some
 * waited 7 s for TCP to try again, and some were reset (2026-11-22).
 */
const listenBacklog = 4_096;

/**
 * Open connections of one process; another one is closed as it comes, which costs a request nothing. More would take the file descriptors of our own
 * files and of PostgreSQL. 8,000 callers at once are served by one process (2026-11-22); Fastify closes those that rest for 72 s.
 */
const connectionsMaxDefault = 10_000;

/** The longest name in a path of ours: a kid of 128 characters, each percent-encoded. */
const nameCharsMax = 3 * 128;

/** Opens the door. Port 0 takes a free one. */
export async function listenOn(app: NestFastifyApplication, port: number, host: string): Promise<void> {
  await app.listen({ port, host, backlog: listenBacklog });
}

/** Nest reads forms, too, and Fastify any text: what no call of ours takes is 415, not a body of another kind. */
class StrictAdapter extends FastifyAdapter {
  override registerParserMiddleware(prefix?: string, rawBody?: boolean): void {
    super.registerParserMiddleware(prefix, rawBody);
    this.getInstance().removeContentTypeParser('application/x-www-form-urlencoded');
  }
}

/** No name of ours holds U+0000, and PostgreSQL takes none: what asks by one would be a defect of ours. */
function namesNothing({ raw }: FastifyRequest): boolean {
  return raw.url?.includes('%00') === true;
}
const NAMES_NOTHING = new Refusal('malformed', 'request.malformed', 'nothing has a name with U+0000 in it');

/** A Nest application on Fastify as every door of ours needs it: correlation ids, problem+json, body limit, no slow headers. */
export async function createHttpApp(module: DynamicModule, options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { timeouts = REQUEST_TIMEOUTS } = options;
  const server = { connectionsCheckingInterval: timeouts.checkMs, headersTimeout: timeouts.headersMs };
  const adapter = new StrictAdapter({
    bodyLimit: options.bodyBytesMax,
    genReqId: (request: { headers: Record<string, string | string[] | undefined> }) => correlationIdOf(request.headers[CORRELATION_HEADER]),
    requestTimeout: timeouts.requestMs,
    routerOptions: { maxParamLength: nameCharsMax },
    clientErrorHandler: answerClientError,
    // A path that cannot be decoded is answered before any hook runs, and still in our words.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.header(CORRELATION_HEADER, request.id);
      sendProblem(error, request, reply, options.logger);
    },
    ...(options.https ? { https: { ...options.https, ...server } } : { http: server }),
  } as FastifyServerOptions);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(options.logger),
    rawBody: false,
    // A refusal to start is told by the caller in one sentence, not by a core dump.
    abortOnError: false,
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header(CORRELATION_HEADER, request.id);
    if (hostsNamed(request.raw.rawHeaders) > 1) {
      void reply.header('connection', 'close');
      return sendProblem(hostDuplicate(), request, reply, options.logger);
    }
    if (namesNothing(request)) return sendProblem(NAMES_NOTHING, request, reply, options.logger);
    done();
  });
  limitConnections(app.getHttpServer() as Server, options.connectionsMax ?? connectionsMaxDefault, options.logger);
  app.useGlobalFilters(new ProblemFilter(options.logger));
  app.enableShutdownHooks();
  return app;
}
