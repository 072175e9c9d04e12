import { Controller, Get, Inject } from '@nestjs/common';
import type { Clock } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { PgPartnerList } from '../adapters/pg-partner-list.js';
import type { PartnerView } from '../api.js';
import { Allow } from '../auth/session.guard.js';

@Controller('api/partners')
export class PartnersController {
  constructor(
    @Inject(PgPartnerList) private readonly partners: PgPartnerList,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `at` is the server's time: what is said about expiry must not depend on the reader's clock. */
  @Get()
  @Allow('partners.read')
  async list(): Promise<{ at: string; partners: PartnerView[] }> {
    return { at: this.clock.now().toISOString(), partners: await this.partners.read() };
  }
}
