import { Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Database } from '#platform';
import { ActivePolicyCache } from './active-policy-cache.js';
import { PgPolicies } from './pg-policies.js';

@Module({
  providers: [
    { provide: PgPolicies, useFactory: (database: Database) => new PgPolicies(database), inject: [Database] },
    { provide: ActivePolicyCache, useFactory: (policies: PgPolicies) => new ActivePolicyCache(policies), inject: [PgPolicies] },
  ],
  exports: [PgPolicies, ActivePolicyCache],
})
export class PoliciesModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(ActivePolicyCache) private readonly active: ActivePolicyCache) {}

  async onModuleInit(): Promise<void> {
    await this.active.start();
  }

  onApplicationShutdown(): void {
    this.active.stop();
  }
}
