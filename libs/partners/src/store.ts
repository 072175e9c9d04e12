import type { Participant, ParticipantChange } from './participant.js';

export type ParticipantRule = (known: Participant | undefined) => ParticipantChange;

/** Where the registry is kept. */
export interface ParticipantStore {
  /** Changes with every change of the registry; cheap to ask each second. */
  revision(): Promise<string>;
  loadAll(): Promise<readonly Participant[]>;
  /** Loads, applies the rule and saves what it answers with its facts, in one transaction that no other change of `id` can enter. */
  change(id: string, rule: ParticipantRule): Promise<Participant>;
}
