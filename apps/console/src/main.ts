import 'reflect-metadata';
import { runApp } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createConsoleApp } from './console-app.js';

await runApp('console', async (config, logger) => {
  const app = await createConsoleApp(config, logger);
  await listenOn(app, config.CONSOLE_PORT, config.BIND_HOST);
  logger.info({ url: await app.getUrl() }, 'console listens');
});
