import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

/** Names whose values never reach a log, at any depth up to two. */
const SECRETS = ['authorization', 'cookie', 'password', 'token', 'secret', 'privateKey', 'd', 'jws', 'databaseUrl'];

/** A structured JSON logger on standard output, with secrets redacted. */
export function createLogger(app: string, level: string): Logger {
  return pino({
    level,
    base: { app },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  });
}

/** Lets Nest's own lines go through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message));
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, String(message));
  }

  fatal(message: unknown, context?: string): void {
    this.logger.fatal({ context }, String(message));
  }
}
