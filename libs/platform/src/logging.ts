import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, pino, type Logger } from 'pino';

/** Names whose values never reach a log, at any depth up to two. */
const SECRETS = ['authorization', 'cookie', 'password', 'token', 'secret', 'privateKey', 'd', 'jws', 'databaseUrl'];

/**
 * A structured JSON logger on standard output, with secrets redacted: one line for each event, written before the call returns. Left to
 * the thread pool, a line still under way when the process ends came after its last words, or not at all (seen in CI, 2026-11-22).
 */
export function createLogger(app: string, level: string, to?: DestinationStream): Logger {
  const options = {
    level,
    base: { app },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: tellError },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  };
  return pino(options, to ?? pino.destination({ fd: process.stdout.fd, sync: true }));
}

/** What went wrong: a sentence, or a defect with its stack. */
function tellError(error: unknown): unknown {
  if (typeof error === 'string') return inOneLine(error);
  const { message, stack } = (error ?? {}) as { message?: unknown; stack?: unknown };
  return typeof message === 'string' ? { message: inOneLine(message), stack } : error;
}

/** Prisma's messages begin with an empty line and go on over several. */
export function inOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** Lets Nest's own lines go through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, inOneLine(String(message)));
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, inOneLine(String(message)));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, inOneLine(String(message)));
  }

  fatal(message: unknown, context?: string): void {
    this.logger.fatal({ context }, inOneLine(String(message)));
  }
}
