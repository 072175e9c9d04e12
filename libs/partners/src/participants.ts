import { type Clock, Refusal } from '#kernel';
import { addKey, markCompromised, type NewKey, retireKey } from './change-key.js';
import {
  activate,
  cancelSuspension,
  confirmClosing,
  proposeClosing,
  scheduleSuspension,
  suspend,
  withdrawClosing,
} from './change-state.js';
import { enrolParticipant, type Enrolment } from './enrol-participant.js';
import type { Participant, ParticipantChange } from './participant.js';
import type { ParticipantRegistry } from './participant-registry.js';
import { type IssuedCertificate, registerCertificate, revokeCertificate } from './register-certificate.js';
import type { ParticipantStore } from './store.js';
import { type GatewayKeyNews, type GatewayKeyTold, tellGatewayKey } from './tell-gateway-key.js';

/** Who acts on the command line, where nobody signs in. */
const OPERATOR = 'operator';

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

  activate(id: string, reason: string, by = OPERATOR): Promise<Participant> {
    return this.change(id, (known, at) => activate(known, reason, by, at));
  }

  suspend(id: string, reason: string, by = OPERATOR): Promise<Participant> {
    return this.change(id, (known, at) => suspend(known, reason, by, at));
  }

  scheduleSuspension(id: string, from: Date, reason: string, by = OPERATOR): Promise<Participant> {
    return this.change(id, (known, at) => scheduleSuspension(known, from, reason, by, at));
  }

  cancelSuspension(id: string, by = OPERATOR): Promise<Participant> {
    return this.change(id, (known, at) => cancelSuspension(known, by, at));
  }

  /** `by` names one person: the other one confirms. */
  proposeClosing(id: string, reason: string, by: string): Promise<Participant> {
    return this.change(id, (known, at) => proposeClosing(known, reason, by, at));
  }

  confirmClosing(id: string, by: string): Promise<Participant> {
    return this.change(id, (known, at) => confirmClosing(known, by, at));
  }

  withdrawClosing(id: string, by: string): Promise<Participant> {
    return this.change(id, (known, at) => withdrawClosing(known, by, at));
  }

  addKey(id: string, key: NewKey): Promise<Participant> {
    return this.change(id, (known, at) => addKey(known, key, at));
  }

  retireKey(id: string, kid: string): Promise<Participant> {
    return this.change(id, (known, at) => retireKey(known, kid, at));
  }

  /** `suspectedSince`: since when it may have been in wrong hands; left out: since now. */
  markCompromised(id: string, kid: string, suspectedSince?: Date): Promise<Participant> {
    return this.change(id, (known, at) => markCompromised(known, kid, suspectedSince ?? at, at));
  }

  registerCertificate(id: string, certificate: IssuedCertificate): Promise<Participant> {
    return this.change(id, (known, at) => registerCertificate(known, certificate, at));
  }

  revokeCertificate(id: string, serial: string, reason: string): Promise<Participant> {
    return this.change(id, (known, at) => revokeCertificate(known, serial, reason, at));
  }

  /** It hears of a key of ours. */
  tellGatewayKey(id: string, news: GatewayKeyNews, key: GatewayKeyTold): Promise<Participant> {
    return this.change(id, (known, at) => tellGatewayKey(known, news, key, at));
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
