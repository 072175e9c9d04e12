import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { Config } from '#platform';
import { limitAnswerTime } from '#platform/adapters/answer-time';
import { createHttpApp } from '#platform/adapters/http-app';
import { consoleDoor } from './auth/origin.js';
import { ConsoleModule } from './console.module.js';
import { lintBytesMax } from './policies/lint.controller.js';
import { serveWebApp } from './web/web-app.js';

const BODY_BYTES_MAX = 16 * 1024;

/** Where `npx vite build apps/console/web` leaves the web app. */
const WEB_FOLDER = path.resolve('apps/console/web/dist');

/** The console, ready to listen. */
export async function createConsoleApp(config: Config, logger: Logger, webFolder = WEB_FOLDER): Promise<NestFastifyApplication> {
  const app = await createHttpApp(ConsoleModule.forRoot(config, logger), { logger, bodyBytesMax: BODY_BYTES_MAX });
  app.useBodyParser('text/plain', { bodyLimit: lintBytesMax }, (_request: unknown, body: Buffer) => Promise.resolve(body.toString()));
  limitAnswerTime(app);
  await serveWebApp(app, webFolder, consoleDoor(config).https);
  return app;
}
