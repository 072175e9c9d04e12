import type { VerificationKey } from '#evidence';
import { type Clock, Refusal } from '#kernel';
import { addKey, markCompromised, retireKey } from './change-key.js';
import { activate, close, suspend } from './change-state.js';
import { enrolParticipant, type Enrolment } from './enrol-participant.js';
import type { Participant, ParticipantChange } from './participant.js';
import type { ParticipantRegistry } from './participant-registry.js';
import { type IssuedCertificate, registerCertificate, revokeCertificate } from './register-certificate.js';
import type { ParticipantStore } from './store.js';

/** The operator's verbs. Each refuses `participant.unknown` and what its rule refuses; each is seen by this process at once. */
export class Participants {
  constructor(
    private readonly store: ParticipantStore,
    private readonly registry: Pick<ParticipantRegistry, 'refresh'>,
    private readonly clock: Clock,
  ) {}

  enrol(enrolment: Enrolment): Promise<Participant> {
    return this.save(enrolment.id, (known) => enrolParticipant(known, enrolment, this.clock.now()));
  }

  activate(id: string, reason: string): Promise<Participant> {
    return this.change(id, (known, at) => activate(known, reason, at));
  }

  suspend(id: string, reason: string): Promise<Participant> {
    return this.change(id, (known, at) => suspend(known, reason, at));
  }

  close(id: string, reason: string): Promise<Participant> {
    return this.change(id, (known, at) => close(known, reason, at));
  }

  addKey(id: string, key: Omit<VerificationKey, 'state'>): Promise<Participant> {
    return this.change(id, (known, at) => addKey(known, key, at));
  }

  retireKey(id: string, kid: string): Promise<Participant> {
    return this.change(id, (known, at) => retireKey(known, kid, at));
  }

  markCompromised(id: string, kid: string): Promise<Participant> {
    return this.change(id, (known, at) => markCompromised(known, kid, at));
  }

  registerCertificate(id: string, certificate: IssuedCertificate): Promise<Participant> {
    return this.change(id, (known, at) => registerCertificate(known, certificate, at));
  }

  revokeCertificate(id: string, serial: string, reason: string): Promise<Participant> {
    return this.change(id, (known, at) => revokeCertificate(known, serial, reason, at));
  }

  private change(id: string, rule: (known: Participant, at: Date) => ParticipantChange): Promise<Participant> {
    return this.save(id, (known) => {
      if (!known) throw new Refusal('not_found', 'participant.unknown', `there is no participant ${id}`);
      return rule(known, this.clock.now());
    });
  }

  private async save(id: string, rule: (known: Participant | undefined) => ParticipantChange): Promise<Participant> {
    const saved = await this.store.change(id, rule);
    await this.registry.refresh();
    return saved;
  }
}
