import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** How fast an answer is taken at the least. */
export interface AnswerPace {
  readonly graceMs: number;
  readonly bytesPerSecondMin: number;
}

/** A line of a megabit per second is fast enough. */
const ANSWER_PACE: AnswerPace = { graceMs: 60_000, bytesPerSecondMin: 128 * 1024 };

/** What the kernel and one buffer of ours hold costs nobody anything worth a timer. */
const smallBytes = 64 * 1024;

/**
 * Cuts a connection that does not take its answer: what it has not taken waits in our memory or on our disk. Small answers are left alone.
 * Call it after whoever else changes answers: what is measured is what goes out.
 */
export function limitAnswerTime(app: NestFastifyApplication, { graceMs, bytesPerSecondMin }: AnswerPace = ANSWER_PACE): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const bytes = bytesOf(payload, reply);
    if (bytes > smallBytes) {
      const ms = graceMs + (bytes / bytesPerSecondMin) * 1_000;
      const timer = setTimeout(() => reply.raw.destroy(), ms).unref();
      reply.raw.once('close', () => clearTimeout(timer));
    }
    done(null, payload);
  });
}

/** A stream says its length, or is small. */
function bytesOf(payload: unknown, reply: FastifyReply): number {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return payload.length;
  return Number(reply.getHeader('content-length') ?? 0);
}
