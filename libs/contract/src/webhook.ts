import { z } from 'zod';
import { EVENT_KINDS } from './event.js';
import { parseStrictly } from './strict-parse.js';

const webhookUrlCharsMax = 2_048;

/** The one event that is sent before a webhook is confirmed; the receiver answers 200 with `{ challenge }` exactly as it stands in the event. */
export const WEBHOOK_CHALLENGE_URI = 'urn:tallystick:event:webhook.challenge';

/** RFC 8935 §2: how a SET travels. */
export const SECEVENT_MEDIA_TYPE = 'application/secevent+jwt';

const url = z
  .url({ protocol: /^https$/, error: 'an https address' })
  .max(webhookUrlCharsMax)
  .refine((text) => isPlain(text), 'no user name, password or fragment');

export const webhookRegistration = z.strictObject({
  url,
  /** Empty or left out: every kind. */
  kinds: z.array(z.enum(EVENT_KINDS)).max(EVENT_KINDS.length).default([]),
});

export interface WebhookRegistration {
  readonly url: string;
  readonly kinds: readonly string[];
}

/** Refuses 400 `webhook.malformed` with the field. */
export function parseWebhookRegistration(body: unknown): WebhookRegistration {
  const { url: address, kinds } = parseStrictly(webhookRegistration, body, 'webhook.malformed');
  return { url: new URL(address).href, kinds: [...new Set(kinds)].sort() };
}

export const resendRequest = z.strictObject({ events: z.array(z.uuid()).min(1).max(1_000).optional() });

/** Which dead letters to send again; undefined: all. Refuses 400 `webhook.malformed`. */
export function parseResend(body: unknown): readonly string[] | undefined {
  return parseStrictly(resendRequest, body ?? {}, 'webhook.malformed').events;
}

/** What is no URL at all is another check's to refuse. */
function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}
