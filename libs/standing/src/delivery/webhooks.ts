import type { WebhookRegistration } from '#contract';
import { encodeBase64Url } from '#evidence';
import { type Clock, Refusal } from '#kernel';
import type { Clerk } from '../notary.js';
import { deliveryLifeMs } from './backoff.js';
import { getWebhook, pauseWebhook, registerWebhook, resumeWebhook, type Webhook, webhookFact } from './webhook.js';
import type { WebhookBook } from './webhook-book.js';

const givenUpPerRunMax = 500;

/** Whether an address that a URL spells out may be sent to: a public one, or one that the installation names. Where names lead, the push finds out. */
export type AddressCheck = (url: string) => boolean;

/** What banks and operators do with webhooks. Every call may be repeated. */
export class Webhooks {
  constructor(
    private readonly book: WebhookBook,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
    private readonly mayBe: AddressCheck,
  ) {}

  /** See `registerWebhook`. Refuses 422 `webhook.address_refused`: of what the push would refuse, what is plain to see. */
  async register(participant: string, wish: WebhookRegistration): Promise<Webhook> {
    if (!this.mayBe(wish.url)) {
      throw new Refusal('unprocessable', 'webhook.address_refused', 'this is a private or reserved address', {
        field: '/url',
      });
    }
    const by = {
      at: this.clock.now(),
      challenge: encodeBase64Url(new Uint8Array([...this.clerk.salt(), ...this.clerk.salt()])),
      urlDigest: encodeBase64Url(this.clerk.sha256(new TextEncoder().encode(wish.url))),
    };
    await this.book.change(participant, (known) => registerWebhook(known, participant, wish, by));
    // Who registers, also the same again, says that its endpoint is there: it need not wait for the next probe.
    await this.book.hurry(participant);
    return getWebhook(await this.book.find(participant));
  }

  /** Refuses 404 `webhook.unknown`. */
  async get(participant: string): Promise<Webhook> {
    return getWebhook(await this.book.find(participant));
  }

  /** What was not pushed waits for a poll. */
  async remove(participant: string): Promise<void> {
    await this.book.change(participant, (known) => known && { next: undefined, fact: webhookFact(participant, 'webhook.removed', {}) });
  }

  /** Refuses 404 `webhook.unknown`, 400 `webhook.reason`. */
  async pause(participant: string, why: string, by: string): Promise<Webhook> {
    if (why.trim() === '') throw new Refusal('malformed', 'webhook.reason', 'say why: it stands in the log');
    return getWebhook(
      await this.book.change(participant, (known) => pauseWebhook(getWebhook(known), why.trim().slice(0, 200), by, this.clock.now())),
    );
  }

  /** Refuses 404 `webhook.unknown`. */
  async resume(participant: string, by: string): Promise<Webhook> {
    return getWebhook(await this.book.change(participant, (known) => resumeWebhook(getWebhook(known), by)));
  }

  /** `events` undefined: all that are dead. Answers how many are sent again; what is no dead letter of the participant is passed over. */
  async resend(participant: string, events: readonly string[] | undefined, by: string): Promise<number> {
    const sent = await this.book.resend(participant, events, by, this.clock.now());
    if (sent > 0) await this.book.hurry(participant);
    return sent;
  }

  /** A sweep calls it: what was tried for three days is a dead letter. */
  async giveUp(): Promise<number> {
    const at = this.clock.now();
    return await this.book.giveUp(new Date(at.getTime() - deliveryLifeMs), at, givenUpPerRunMax);
  }
}
