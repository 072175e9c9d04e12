import 'reflect-metadata';
import { createLogger, endInTime, parseConfig } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createWorker } from './start-worker.js';

const config = parseConfig(process.env);
const logger = createLogger('worker', config.LOG_LEVEL);
endInTime(logger);

try {
  const app = await createWorker(config, logger);
  await listenOn(app, config.WORKER_PORT, config.BIND_HOST);
  logger.info({ port: config.WORKER_PORT }, 'worker ready');
} catch (error) {
  logger.fatal({ error: (error as Error).message }, 'worker cannot start');
  process.exitCode = 1;
  process.exit();
}
