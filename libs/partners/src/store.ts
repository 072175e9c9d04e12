import type { CertificateRequest } from './certificate-request.js';
import type { Invitation } from './invitation.js';
import type { Participant, ParticipantChange } from './participant.js';

/** Undefined: nothing changes, nothing is saved. */
export type ParticipantRule = (known: Participant | undefined) => ParticipantChange | undefined;

/** Where the registry is kept. */
export interface ParticipantStore {
  /** Changes with every change of the registry; cheap to ask each second. */
  revision(): Promise<string>;
  loadAll(): Promise<readonly Participant[]>;
  /**
   * Loads, applies the rule and saves what it answers with its facts and notices, in one transaction that no other change of `id` can enter.
   * Answers the participant as it then is; a rule that changes nothing must be about one that is known.
   */
  change(id: string, rule: ParticipantRule): Promise<Participant>;
}

/** A participant with the invitations it got and the certificates it asked for. */
export interface Dossier {
  readonly participant: Participant | undefined;
  readonly invitations: readonly Invitation[];
  readonly requests: readonly CertificateRequest[];
}

/** Lists that are left out stay as they are. */
export type DossierChange = ParticipantChange & Partial<Omit<Dossier, 'participant'>>;
export type DossierRule = (known: Dossier) => DossierChange | undefined;

/** Where invitations and requests are kept. The registry does not load them. */
export interface EnrolmentStore {
  findInvitation(digest: string): Promise<Invitation | undefined>;
  findRequest(id: string): Promise<CertificateRequest | undefined>;
  /** Requests that wait for the issuer, the longest waiting first. */
  outstanding(countMax: number): Promise<CertificateRequest[]>;
  /** As `ParticipantStore.change`, under the same lock. Rows are added and decided, never removed. */
  changeDossier(participant: string, rule: DossierRule): Promise<void>;
}
