import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { Config } from '#platform';
import { createHttpApp } from '#platform/adapters/http-app';
import { WorkerModule } from './worker.module.js';

const bodyBytesMax = 1_024;

/** The worker, ready to listen for health, readiness and metrics; its clocks start with it and stop with it. */
export async function createWorker(config: Config, logger: Logger): Promise<NestFastifyApplication> {
  const app = await createHttpApp(WorkerModule.register(config, logger), { logger, bodyBytesMax });
  await app.init();
  return app;
}
