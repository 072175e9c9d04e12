import type { VerificationKey } from '#evidence';
import { Refusal } from '#kernel';
import { suspensionDue } from './change-state.js';
import type { Participant, ParticipantCertificate, ParticipantKey, ParticipantState } from './participant.js';

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

  /** The key as signatures are judged by it at `at`: unknown until it is proved and every process has heard of it, retired from its end on. */
  findKey(id: string, kid: string, at: Date): VerificationKey | undefined {
    const key = this.byId.get(id)?.keys.find((candidate) => candidate.kid === kid);
    if (!key || !isKnownToAll(key)) return undefined;
    return key.notAfter !== undefined && key.notAfter <= at && key.state !== 'COMPROMISED' ? { ...key, state: 'RETIRED' } : key;
  }

  /**
   * Whose certificate this is: by its fingerprint, or by the participant it names under an authority accepted for that participant.
   * Refuses 401 `certificate.revoked`, `certificate.unregistered`; 403 `participant.suspended`, `participant.closed`, `participant.not_enrolled`.
   */
  identify(presented: PresentedCertificate, at: Date): Participant {
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
    const refusal = STATE_REFUSALS[suspensionDue(participant, at) ? 'SUSPENDED' : participant.state];
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

function isKnownToAll(key: ParticipantKey): key is ParticipantKey & VerificationKey {
  return key.state !== 'ANNOUNCED' && key.state !== 'PROBED';
}
