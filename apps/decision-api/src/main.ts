import 'reflect-metadata';
import { createLogger, endInTime, parseConfig } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createDecisionApi } from './decision-api.js';

const config = parseConfig(process.env);
const logger = createLogger('decision-api', config.LOG_LEVEL);
endInTime(logger);

try {
  const app = await createDecisionApi(config, logger);
  await listenOn(app, config.DECISION_HTTP_PORT, config.BIND_HOST);
  logger.info({ http: config.DECISION_HTTP_PORT, grpc: config.DECISION_GRPC_PORT }, 'decision-api ready');
} catch (error) {
  logger.fatal({ error: (error as Error).message }, 'decision-api cannot start');
  process.exitCode = 1;
  process.exit();
}
