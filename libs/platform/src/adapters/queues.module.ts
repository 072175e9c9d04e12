import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { openQueueHome, type QueueName, QUEUES } from '../queues.js';
import { CONFIG, LOGGER } from './platform.module.js';
import { JobSender } from './queues-job-sender.js';

export { JobSender, type QueueName };

/** The queues, on Redis or on PostgreSQL, and the one way to put a job into them. */
@Module({})
export class QueuesModule {
  static register(): DynamicModule {
    const queues = BullModule.registerQueue(...QUEUES.map((name) => ({ name })));
    return {
      module: QueuesModule,
      global: true,
      imports: [
        BullModule.forRootAsync({
          inject: [CONFIG, LOGGER],
          useFactory: async (config: Config, logger: Logger) => {
            const { kind, connection, prefix } = await openQueueHome(config);
            logger.info({ queues: kind }, `queues live on ${kind === 'redis' ? 'Redis' : 'PostgreSQL'}`);
            return { connection, prefix };
          },
        }),
        queues,
      ],
      providers: [
        {
          provide: JobSender,
          inject: [LOGGER, ...QUEUES.map((name) => getQueueToken(name))],
          useFactory: (logger: Logger, ...all: Queue[]) =>
            new JobSender(new Map(QUEUES.map((name, i): [QueueName, Queue] => [name, all[i]!])), logger),
        },
      ],
      exports: [JobSender, queues],
    };
  }
}
