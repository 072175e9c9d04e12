import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { Database } from '../database.js';
import { PrismaClient } from '../generated/prisma/client.js';

/** Prisma for tables that are neither hot nor facts. Same connections, same role and same refusals to start as `Database`. */
export class PrismaService extends PrismaClient {
  constructor(database: Database) {
    super({ adapter: new PrismaPg(database.pool) });
  }
}

@Global()
@Module({
  providers: [{ provide: PrismaService, useFactory: (database: Database) => new PrismaService(database), inject: [Database] }],
  exports: [PrismaService],
})
export class PrismaModule implements OnApplicationShutdown {
  constructor(@Inject(PrismaService) private readonly prisma: PrismaService) {}

  async onApplicationShutdown(): Promise<void> {
    await this.prisma.$disconnect();
  }
}
