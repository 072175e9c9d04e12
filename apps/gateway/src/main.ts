import 'reflect-metadata';
import { runApp } from '#platform';
import { listenOn } from '#platform/adapters/http-app';
import { createEnrolmentDoor } from './enrolment/start-enrolment.js';
import { createGateway } from './start-gateway.js';

await runApp('gateway', async (config, logger) => {
  const app = await createGateway(config, logger);
  await listenOn(app, config.GATEWAY_PORT, config.BIND_HOST);
  if (config.ENROLMENT_PORT !== undefined) {
    const enrolment = await createEnrolmentDoor(app, config, logger);
    await listenOn(enrolment, config.ENROLMENT_PORT, config.BIND_HOST);
  }
  logger.info({ origin: config.GATEWAY_ORIGIN, port: config.GATEWAY_PORT }, 'gateway ready');
});
