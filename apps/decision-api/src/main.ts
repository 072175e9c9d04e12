import 'reflect-metadata';
import { runApp } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createDecisionApi } from './decision-api.js';

await runApp('decision-api', async (config, logger) => {
  const app = await createDecisionApi(config, logger);
  await listenOn(app, config.DECISION_HTTP_PORT, config.BIND_HOST);
  logger.info({ http: config.DECISION_HTTP_PORT, grpc: config.DECISION_GRPC_PORT }, 'decision-api ready');
});
