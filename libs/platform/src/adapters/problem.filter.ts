import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { defectProblem, type Problem, toProblem } from '#contract';
import { Refusal, type RefusalKind } from '#kernel';
import { slowDatabase } from '../slow-database.js';
import { Sparing } from '../sparing.js';
import { orFactsStopped } from '../stopped-facts.js';
import { refusedTotal } from './refused-total.js';

/** HTTP errors that the framework raises before our code runs, as refusals with our codes. */
const FRAMEWORK: Readonly<Record<number, [RefusalKind, string, string]>> = {
  400: ['malformed', 'request.malformed', 'the request could not be read'],
  // A file that is none of ours to give, like one beside the folder of the web app.
  403: ['not_found', 'route.unknown', 'there is nothing at this method and path'],
  404: ['not_found', 'route.unknown', 'there is nothing at this method and path'],
  405: ['not_found', 'route.unknown', 'there is nothing at this method and path'],
  414: ['not_found', 'route.unknown', 'nothing has so long a name'],
  413: ['too_large', 'body.too_large', 'the body is larger than this call accepts'],
  415: ['unsupported_media', 'media_type.unsupported', 'this call does not accept that content-type'],
};

/** What Fastify says more exactly than by status; by its words, because Nest keeps no more of it. */
const FASTIFY: Readonly<Record<string, [RefusalKind, string, string]>> = {
  "Body cannot be empty when content-type is set to 'application/json'": [
    'malformed',
    'request.malformed',
    'the body is empty: send {} or leave the content-type out',
  ],
  "Body is not valid JSON but content-type is set to 'application/json'": ['malformed', 'request.malformed', 'the body is not JSON'],
};

/** Everything that goes wrong becomes problem+json here, and only here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.logger);
  }
}

/** For routes and hooks that live on the Fastify instance itself. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const problem = problemOf(error, request, logger);
  refusedTotal.inc({ code: problem.code });
  if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', String(problem.retryAfterSeconds));
  void reply.status(problem.status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function problemOf(thrown: unknown, { id: correlationId, method }: FastifyRequest, logger: Logger): Problem {
  const error = orFactsStopped(thrown);
  const refusal = error instanceof Refusal ? error : (slowDatabase(error, READS.has(method)) ?? fromFramework(error));
  logReason(refusal ?? error, correlationId, logger);
  return refusal ? toProblem(refusal, correlationId) : defectProblem(correlationId);
}

/** While the database is away thousands a second are refused for one and the same reason. /metrics counts all of them. */
const reasons = new Sparing(10);

/** For the operator alone: a defect, or why something had to be refused that the caller did nothing for. */
export function logReason(error: unknown, correlationId: string, logger: Logger): void {
  if (!(error instanceof Refusal)) return logger.error({ correlationId, error: told(error) }, 'defect');
  if (error.cause === undefined) return;
  const leftOut = reasons.pass(error.code, performance.now());
  if (leftOut === undefined) return;
  const more = leftOut > 0 ? { leftOut } : {};
  logger.warn(Object.assign({ correlationId, code: error.code, error: told(error.cause) }, more), 'refused for a reason of our own');
}

function told(error: unknown): object | string {
  return error instanceof Error ? { message: error.message, stack: error.stack } : String(error);
}

function fromFramework(error: unknown): Refusal | undefined {
  const { message = '', statusCode } = (error ?? {}) as { message?: string; statusCode?: number };
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  if (status === undefined) return undefined;
  // Whatever else the framework finds wrong with a request (412, 416) is no defect of ours.
  const row = FASTIFY[message] ?? FRAMEWORK[status] ?? (status >= 400 && status < 500 ? FRAMEWORK[400] : undefined);
  return row && new Refusal(...row);
}
