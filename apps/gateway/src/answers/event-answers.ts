import { z } from 'zod';
import { at, count, jws, next, text } from './forms.js';

export const poll = z.object({ sets: z.record(z.string(), jws).describe('jti to signed event token'), moreAvailable: z.boolean() });

const failure = z.object({ err: text, description: text.optional() });

export const webhook = z.object({
  url: z.url(),
  kinds: z.array(text).describe('empty: every kind'),
  state: z.enum(['UNCONFIRMED', 'ACTIVE', 'FAILING', 'PAUSED']),
  registeredAt: at,
  confirmedAt: at.optional(),
  deliveredAt: at.optional().describe('the last time that an event was taken'),
  paused: z.object({ at, why: text }).optional(),
  trouble: z.object({ inARow: count, last: failure.optional(), since: at.optional(), nextTryAt: at.optional() }).optional(),
  events: z
    .object({ waiting: count, failing: count, dead: count })
    .describe('waiting: not acknowledged, dead letters apart; failing: of those, pushed in vain; each counted up to 10,000'),
});

export const deadLetters = z.object({
  deadLetters: z.array(z.object({ jti: text, kind: text, sub: text.optional(), at, deadAt: at, failures: count, failure })),
  next,
});

export const resent = z.object({ resent: count });
