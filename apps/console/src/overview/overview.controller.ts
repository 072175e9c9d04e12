import { Controller, Get, Inject } from '@nestjs/common';
import type { Clock } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { PgOverview } from '../adapters/pg-overview.js';
import type { OverviewView } from '../api.js';
import { Allow } from '../auth/session.guard.js';

/** Everybody who watches the screen shares one reading of the database. */
const SHARED_MS = 3_000;

@Controller('api/overview')
export class OverviewController {
  private shared: { readonly at: number; readonly view: Promise<OverviewView> } | undefined;

  constructor(
    @Inject(PgOverview) private readonly overview: PgOverview,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Allow('overview.read')
  read(): Promise<OverviewView> {
    const at = this.clock.now();
    if (this.shared === undefined || at.getTime() - this.shared.at >= SHARED_MS) {
      const view = this.overview.read(at);
      this.shared = { at: at.getTime(), view };
      view.catch(() => (this.shared = undefined));
    }
    return this.shared.view;
  }
}
