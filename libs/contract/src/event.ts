import { z } from 'zod';
import { printable } from './plain-text.js';
import { parseStrictly } from './strict-parse.js';

/** What partners are told. In a SET (RFC 8417) the event's name is `eventUri(kind)`. */
export const EVENT_KINDS = [
  'link.created',
  'link.ended',
  'rating.changed',
  'restriction.imposed',
  'restriction.lifted',
  'consent.requested',
  'consent.granted',
  'consent.narrowed',
  'consent.rejected',
  'consent.paused',
  'consent.resumed',
  'consent.revoked',
  'consent.expired',
  'consent.consumed',
  'record.corrected',
  'record.withdrawn',
  'dispute.opened',
  'dispute.extended',
  'dispute.due_soon',
  'dispute.closed',
  'violation.reported',
  'certificate.issued',
  'certificate.revoked',
  'certificate.expiring',
  'key.announced',
  'key.activated',
  'key.retired',
  'key.compromised',
  'key.expiring',
  'gateway_key.announced',
  'gateway_key.replaced',
  'gateway_key.compromised',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const eventUri = (kind: EventKind): string => `urn:tallystick:event:${kind}`;
export const EVENT_TOKEN_TYPE = 'secevent+jwt';

const pollEventsMax = 1_000;
const pollAcksMax = 10_000;

const jti = z.uuid();

/**
 * RFC 8936 §2.4. Everything may be left out: then up to 100 events are waited for. Members that are not known here are ignored, as of any JWT or SET:
 * a receiver that is built for every transmitter may send some of its own.
 */
export const pollRequest = z.object({
  maxEvents: z.int().min(0).max(pollEventsMax).default(100),
  returnImmediately: z.boolean().default(false),
  ack: z.array(jti).max(pollAcksMax).default([]),
  setErrs: z
    .record(
      jti,
      z.object({ err: z.string().min(1).max(64).transform(printable), description: z.string().max(500).transform(printable).optional() }),
    )
    .refine((errors) => Object.keys(errors).length <= pollEventsMax, `at most ${pollEventsMax} errors`)
    .default({}),
});

export type PollRequest = z.output<typeof pollRequest>;

/** RFC 8936 §2.4: jti to signed event token. */
export interface PollAnswer {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

/** Refuses 400 `poll.malformed` with the field. */
export function parsePollRequest(body: unknown): PollRequest {
  return parseStrictly(pollRequest, body ?? {}, 'poll.malformed');
}
