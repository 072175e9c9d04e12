import 'reflect-metadata';
import { createLogger, endInTime, parseConfig } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createEnrolmentDoor } from './enrolment/start-enrolment.js';
import { createGateway } from './start-gateway.js';

const config = parseConfig(process.env);
const logger = createLogger('gateway', config.LOG_LEVEL);
endInTime(logger);

try {
  const app = await createGateway(config, logger);
  await listenOn(app, config.GATEWAY_PORT, config.BIND_HOST);
  if (config.ENROLMENT_PORT !== undefined) {
    const enrolment = await createEnrolmentDoor(app, config, logger);
    await listenOn(enrolment, config.ENROLMENT_PORT, config.BIND_HOST);
  }
  logger.info({ origin: config.GATEWAY_ORIGIN, port: config.GATEWAY_PORT }, 'gateway ready');
} catch (error) {
  logger.fatal({ error: (error as Error).message }, 'gateway cannot start');
  process.exitCode = 1;
  process.exit();
}
