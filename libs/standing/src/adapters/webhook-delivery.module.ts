import { Inject, Module, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { Clock } from '#kernel';
import { GatewayKeys } from '#partners';
import { GatewayKeysModule } from '#partners/adapters/gateway-keys.module';
import { type Config, Database } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { DeliverEvents } from '../delivery/deliver-events.js';
import { leaseMsFor } from '../delivery/round.js';
import { Webhooks } from '../delivery/webhooks.js';
import type { Notary } from '../notary.js';
import { watchDeliveries } from './delivery-metrics.js';
import { addressCheck, HttpsWebhookPush, pushSettings } from './https-webhook-push.js';
import { nodeClerk } from './node-notary.js';
import { PgDeliveryStore } from './pg-delivery-store.js';
import { PgWebhookBook } from './pg-webhook-book.js';
import { NOTARY, RecordExchangeModule } from './standing.module.js';

/** Webhooks as their owners and operators see them. Needs no key and calls nobody. */
@Module({
  providers: [
    { provide: PgWebhookBook, inject: [Database], useFactory: (database: Database) => new PgWebhookBook(database) },
    {
      provide: Webhooks,
      inject: [PgWebhookBook, CLOCK, CONFIG],
      useFactory: (book: PgWebhookBook, clock: Clock, config: Config) => new Webhooks(book, nodeClerk, clock, addressCheck(config)),
    },
  ],
  exports: [PgWebhookBook, Webhooks],
})
export class WebhooksModule {}

/** The pushing itself, for the worker. Needs our own keys towards participants, and the network. */
@Module({
  imports: [RecordExchangeModule, GatewayKeysModule],
  providers: [
    {
      provide: HttpsWebhookPush,
      inject: [CONFIG, GatewayKeys],
      useFactory: (config: Config, keys: GatewayKeys) =>
        new HttpsWebhookPush(pushSettings(config), (participant) => keys.keyFor('response', participant)),
    },
    {
      provide: DeliverEvents,
      inject: [Database, HttpsWebhookPush, NOTARY, CLOCK, CONFIG],
      useFactory: (database: Database, { push }: HttpsWebhookPush, notary: Notary, clock: Clock, config: Config) => {
        watchDeliveries(database);
        return new DeliverEvents(new PgDeliveryStore(database, leaseMsFor(config.WEBHOOK_TIMEOUT_MS)), push, notary, clock);
      },
    },
  ],
  exports: [DeliverEvents],
})
export class WebhookDeliveryModule implements OnModuleDestroy, OnApplicationShutdown {
  constructor(
    @Inject(HttpsWebhookPush) private readonly push: HttpsWebhookPush,
    @Inject(DeliverEvents) private readonly events: DeliverEvents,
  ) {}

  /** Before the queues are closed, which wait for the jobs under way. */
  onModuleDestroy(): void {
    this.events.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.push.close();
  }
}
