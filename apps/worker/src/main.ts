import 'reflect-metadata';
import { runApp } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createWorker } from './start-worker.js';

await runApp('worker', async (config, logger) => {
  const app = await createWorker(config, logger);
  await listenOn(app, config.WORKER_PORT, config.BIND_HOST);
  logger.info({ port: config.WORKER_PORT }, 'worker ready');
});
