import { Module } from '@nestjs/common';
import { callTerms } from '#consents/adapters/call-terms';
import type { Clock } from '#kernel';
import { type Config, Database } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { ReadRatings } from '../disclosure/read-ratings.js';
import { StatusLists } from '../disclosure/status-lists.js';
import type { Notary } from '../notary.js';
import { PgDisclosureEraser } from './pg-disclosure-eraser.js';
import { PgDisclosureStore } from './pg-disclosures.js';
import { PgStatusReader } from './pg-status-reader.js';
import { NOTARY, RecordExchangeModule } from './standing.module.js';

/** Ratings read under consents, and the lists that tell whether what was read still stands. */
@Module({
  imports: [RecordExchangeModule],
  providers: [
    { provide: PgStatusReader, useFactory: (database: Database) => new PgStatusReader(database), inject: [Database] },
    {
      provide: ReadRatings,
      useFactory: (database: Database, statuses: PgStatusReader, notary: Notary, config: Config) =>
        new ReadRatings(new PgDisclosureStore(database), () => statuses.secrets(), notary, callTerms(config)),
      inject: [Database, PgStatusReader, NOTARY, CONFIG],
    },
    {
      provide: StatusLists,
      useFactory: (statuses: PgStatusReader, notary: Notary, clock: Clock) => new StatusLists(statuses, notary, clock),
      inject: [PgStatusReader, NOTARY, CLOCK],
    },
  ],
  exports: [ReadRatings, StatusLists],
})
export class DisclosureModule {}

const erasedPerRunMax = 5_000;

/** What the worker's sweep does about what was told: it erases what nobody may hold any more. */
export function disclosureErasure(database: Database, { DISCLOSURE_KEPT_DAYS: days }: Config): { run(): Promise<number> } {
  const eraser = new PgDisclosureEraser(database);
  return { run: () => eraser.erase(days, erasedPerRunMax) };
}
