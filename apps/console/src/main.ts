import 'reflect-metadata';
import { createLogger, endInTime, parseConfig } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createConsoleApp } from './console-app.js';

const config = parseConfig(process.env);
const logger = createLogger('console', config.LOG_LEVEL);
endInTime(logger);
const app = await createConsoleApp(config, logger);
await listenOn(app, config.CONSOLE_PORT, config.BIND_HOST);
logger.info({ url: await app.getUrl() }, 'console listens');
