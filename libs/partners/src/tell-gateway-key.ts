import type { EventKind } from '#contract';
import type { GatewayKeyUse } from './gateway-keys.js';
import { changed, type Participant, type ParticipantChange, participantFact } from './participant.js';

/** What partners hear of our own keys. `replaced`: it signs no more, what it signed stays good; `compromised`: believe nothing under it. */
export type GatewayKeyNews = Extract<EventKind, `gateway_key.${string}`>;

export interface GatewayKeyTold {
  readonly kid: string;
  readonly use: GatewayKeyUse;
  /** The key that takes its place. */
  readonly next?: string;
}

export function tellGatewayKey(known: Participant, kind: GatewayKeyNews, { kid, use, next }: GatewayKeyTold, at: Date): ParticipantChange {
  const body = { kid, use, ...(next === undefined ? {} : { next }) };
  const fact = participantFact(known.id, 'participant.gateway_key_told', { ...body, news: kind });
  return { next: changed(known, at, {}), facts: [fact], notices: [{ fact, kind, body }] };
}
