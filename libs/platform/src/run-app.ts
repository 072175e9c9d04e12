import { format } from 'node:util';
import type { Logger } from 'pino';
import { type Config, parseConfig } from './config.js';
import { endInTime } from './end-in-time.js';
import { createLogger, inOneLine } from './logging.js';

/**
 * The life of a process of ours: its settings, its logger, its start, its end. Whatever ends it before its time is one line of JSON, like
 * everything else it says, and exit code 1.
 */
export async function runApp(name: string, start: (config: Config, logger: Logger) => Promise<void>): Promise<void> {
  let logger = createLogger(name, 'info');
  process.on('uncaughtException', (error) => end(logger, error, 'defect: the process ends'));
  // Node would write its warnings as text.
  process
    .removeAllListeners('warning')
    .on('warning', (warning) => logger.warn({ error: warning.message, warning: warning.name }, 'warning'));
  // What a library says to the console goes the same way.
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    console[name] = (...said: unknown[]) => logger.warn({ by: `console.${name}` }, inOneLine(format(...said)));
  }
  try {
    const config = parseConfig(process.env);
    logger = createLogger(name, config.LOG_LEVEL);
    endInTime(logger);
    await start(config, logger);
  } catch (error) {
    end(logger, (error as Error).message, `${name} cannot start`);
  }
}

function end(logger: Logger, error: unknown, what: string): void {
  logger.fatal({ error }, what);
  process.exit(1);
}
