import type { VerificationKey } from '#evidence';
import { Refusal } from '#kernel';
import type { Participant, ParticipantCertificate, ParticipantState } from './participant.js';

/** A client certificate whose chain, dates and usage the transport has checked already. */
export interface PresentedCertificate {
  readonly x5t: string;
  readonly issuer: string;
  readonly serial: string;
  /** The participant that its SAN URI `urn:tallystick:participant:<id>` names, if there is one. */
  readonly names?: string;
}

const STATE_REFUSALS: Readonly<Partial<Record<ParticipantState, [code: string, detail: string]>>> = {
  SUSPENDED: ['participant.suspended', 'your participation is suspended: ask your contact at the platform'],
  CLOSED: ['participant.closed', 'your participation has ended'],
  INVITED: ['participant.not_enrolled', 'your enrolment is not complete'],
};

/** The registry at one moment, indexed for the questions asked on every request. */
export class RegistryView {
  private readonly byId: ReadonlyMap<string, Participant>;
  private readonly byCertificate = new Map<string, { participant: Participant; certificate: ParticipantCertificate }>();
  private readonly revokedSerials = new Set<string>();

  constructor(readonly participants: readonly Participant[]) {
    this.byId = new Map(participants.map((participant) => [participant.id, participant]));
    for (const participant of participants) {
      for (const certificate of participant.certificates) {
        this.byCertificate.set(certificate.x5t, { participant, certificate });
        if (certificate.revoked) this.revokedSerials.add(`${certificate.issuer}:${certificate.serial}`);
      }
    }
  }

  find(id: string): Participant | undefined {
    return this.byId.get(id);
  }

  findKey(id: string, kid: string): VerificationKey | undefined {
    return this.byId.get(id)?.keys.find((key) => key.kid === kid);
  }

  /**
   * Whose certificate this is: by its fingerprint, or by the participant it names under an authority accepted for that participant.
   * Refuses 401 `certificate.revoked`, `certificate.unregistered`; 403 `participant.suspended`, `participant.closed`, `participant.not_enrolled`.
   */
  identify(presented: PresentedCertificate): Participant {
    if (this.revokedSerials.has(`${presented.issuer}:${presented.serial}`)) {
      throw new Refusal('unauthenticated', 'certificate.revoked', 'this certificate was revoked: use your new one');
    }
    const participant = this.ownerOf(presented);
    if (!participant) {
      throw new Refusal(
        'unauthenticated',
        'certificate.unregistered',
        'no participant is registered with this certificate under this authority',
      );
    }
    const refusal = STATE_REFUSALS[participant.state];
    if (refusal) throw new Refusal('forbidden', ...refusal);
    return participant;
  }

  private ownerOf({ x5t, issuer, names }: PresentedCertificate): Participant | undefined {
    const registered = this.byCertificate.get(x5t)?.participant;
    // A certificate registered for one participant that names another is nobody's.
    if (registered) return names === undefined || names === registered.id ? registered : undefined;
    const named = names === undefined ? undefined : this.byId.get(names);
    return named?.authorities.includes(issuer) ? named : undefined;
  }
}
