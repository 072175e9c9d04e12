import type { Clock } from '#kernel';
import { activateKey, announceKey, getKey, markCompromised, type NewKey, proveKey, retireKey } from './change-key.js';
import { verifyKeyProof } from './enrolment-form.js';
import type { Participant, ParticipantChange, ParticipantKey } from './participant.js';
import type { ParticipantRegistry } from './participant-registry.js';
import type { ParticipantStore } from './store.js';

/** What a participant does with its own signing keys. Every verb may be repeated. Each refuses `key.unknown` and what its rule refuses. */
export class PartnerKeys {
  constructor(
    private readonly store: ParticipantStore,
    private readonly registry: ParticipantRegistry,
    private readonly newChallenge: () => string,
    private readonly clock: Clock,
  ) {}

  async announce(id: string, key: NewKey): Promise<ParticipantKey> {
    const challenge = this.newChallenge();
    return getKey(await this.change(id, (known, at) => announceKey(known, key, challenge, at)), key.kid);
  }

  /** `proof`: a JWS (`typ` key-proof+jwt) by the announced key over exactly `{ challenge }`. Refuses what `verifyJws` refuses, `key.proof_wrong`. */
  async prove(id: string, kid: string, proof: string): Promise<ParticipantKey> {
    await this.registry.refresh();
    const key = getKey(this.registry.get(id), kid);
    if (key.challenge !== undefined) await verifyKeyProof(proof, [key], { challenge: key.challenge });
    return getKey(await this.change(id, (known, at) => proveKey(known, kid, key.challenge ?? '', at)), kid);
  }

  async activate(id: string, kid: string): Promise<ParticipantKey> {
    return getKey(await this.change(id, (known, at) => activateKey(known, kid, at)), kid);
  }

  async retire(id: string, kid: string): Promise<ParticipantKey> {
    return getKey(
      await this.change(id, (known, at) => (getKey(known, kid).state === 'RETIRED' ? undefined : retireKey(known, kid, at))),
      kid,
    );
  }

  async reportCompromised(id: string, kid: string, suspectedSince?: Date): Promise<ParticipantKey> {
    const report = (known: Participant, at: Date) => {
      const since = suspectedSince ?? at;
      const told = getKey(known, kid).suspectedSince;
      return told !== undefined && told <= since ? undefined : markCompromised(known, kid, since, at);
    };
    return getKey(await this.change(id, report), kid);
  }

  private async change(id: string, rule: (known: Participant, at: Date) => ParticipantChange | undefined): Promise<Participant> {
    const saved = await this.store.change(id, (known) => known && rule(known, this.clock.now()));
    await this.registry.refresh();
    return saved;
  }
}
