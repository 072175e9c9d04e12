import type { WebhookRegistration } from '#contract';
import { type Fact, Refusal, shardOf } from '#kernel';
import { type Circuit, CLOSED } from './circuit.js';

/** Where a participant wants its events pushed, and how that goes. */
export interface Webhook extends WebhookRegistration {
  readonly participant: string;
  /** What the receiver must echo; absent once it has. */
  readonly challenge?: string | undefined;
  readonly registeredAt: Date;
  readonly confirmedAt?: Date | undefined;
  readonly paused?: { readonly at: Date; readonly why: string } | undefined;
  readonly circuit: Circuit;
  /** The last time that an event was taken. */
  readonly deliveredAt?: Date | undefined;
}

export interface WebhookChange {
  readonly next: Webhook;
  readonly fact: Fact;
}

/**
 * A new address must echo a challenge before it gets anything; another choice of kinds changes nothing else. The same wish again changes
 * nothing, but has an address that has not echoed yet tried at once: undefined then.
 */
export function registerWebhook(
  known: Webhook | undefined,
  participant: string,
  wish: WebhookRegistration,
  by: { readonly at: Date; readonly challenge: string; readonly urlDigest: string },
): WebhookChange | undefined {
  const fact = webhookFact(participant, 'webhook.registered', { url: by.urlDigest, kinds: [...wish.kinds] });
  if (known?.url === wish.url) {
    if (String(known.kinds) === String(wish.kinds)) return undefined;
    return { next: { ...known, kinds: wish.kinds }, fact };
  }
  const paused = known?.paused;
  return { next: { participant, ...wish, challenge: by.challenge, registeredAt: by.at, paused, circuit: CLOSED }, fact };
}

/** An operator holds a webhook back. Again: nothing changes. */
export function pauseWebhook(known: Webhook, why: string, by: string, at: Date): WebhookChange | undefined {
  if (known.paused) return undefined;
  return { next: { ...known, paused: { at, why } }, fact: webhookFact(known.participant, 'webhook.paused', { why, by }) };
}

/** Ends a pause. The webhook is tried at once, however often it failed before. Undefined where it is not paused. */
export function resumeWebhook(known: Webhook, by: string): WebhookChange | undefined {
  if (!known.paused) return undefined;
  return { next: { ...known, paused: undefined, circuit: CLOSED }, fact: webhookFact(known.participant, 'webhook.resumed', { by }) };
}

export function webhookFact(participant: string, kind: string, body: Fact['body']): Fact {
  return { shard: shardOf(participant), kind, participant, body };
}

/** Refuses 404 `webhook.unknown`. */
export function getWebhook(found: Webhook | undefined): Webhook {
  if (found) return found;
  throw new Refusal('not_found', 'webhook.unknown', 'no webhook is registered: PUT /v1/webhooks with { url, kinds? }');
}

/** As every door shows it. */
export function showWebhook({ participant, url, kinds, paused, confirmedAt, registeredAt, deliveredAt, circuit, challenge }: Webhook) {
  return {
    participant,
    url,
    kinds,
    state: stateOf({ paused, challenge, circuit }),
    registeredAt: registeredAt.toISOString(),
    ...(confirmedAt ? { confirmedAt: confirmedAt.toISOString() } : {}),
    ...(deliveredAt ? { deliveredAt: deliveredAt.toISOString() } : {}),
    ...(paused ? { paused: { at: paused.at.toISOString(), why: paused.why } } : {}),
    ...(circuit.failures > 0 ? { trouble: showTrouble(circuit) } : {}),
  };
}

function stateOf({ paused, challenge, circuit }: Pick<Webhook, 'paused' | 'challenge' | 'circuit'>) {
  if (paused) return 'PAUSED' as const;
  if (challenge !== undefined) return 'UNCONFIRMED' as const;
  return circuit.failingSince ? ('FAILING' as const) : ('ACTIVE' as const);
}

function showTrouble({ failures, failingSince, failure, nextTryAt }: Circuit) {
  return {
    inARow: failures,
    ...(failure ? { last: failure } : {}),
    ...(failingSince ? { since: failingSince.toISOString() } : {}),
    ...(nextTryAt ? { nextTryAt: nextTryAt.toISOString() } : {}),
  };
}
