import { Refusal } from '#kernel';
import { keyInFact, type NewKey, withKeys } from './change-key.js';
import {
  newParticipant,
  type Participant,
  type ParticipantChange,
  participantFact,
  type ParticipantKey,
  participantKeysMax,
} from './participant.js';
import { addAuthority, addCertificate, type IssuedCertificate } from './register-certificate.js';

export interface Enrolment {
  readonly id: string;
  readonly name: string;
  readonly certificate: IssuedCertificate;
  readonly keys: readonly NewKey[];
}

/**
 * Enrols an organisation with its first certificate and signing keys, on an operator's word; it is ENROLLED and may do nothing until
 * activated. Refuses `participant.exists`, `participant.name_malformed`, `key.duplicate` and `key.count`.
 */
export function enrolParticipant(known: Participant | undefined, enrolment: Enrolment, at: Date): ParticipantChange {
  const { id, name, certificate } = enrolment;
  if (known) throw new Refusal('conflict', 'participant.exists', `${id} is known already: add a certificate or a key to it instead`);
  const keys = firstKeys(enrolment.keys, at);
  const participant: Participant = {
    ...newParticipant(id, name, 'ENROLLED', at),
    authorities: addAuthority([], certificate.issuer),
    certificates: addCertificate([], certificate),
    keys,
  };
  const body = { x5t: certificate.x5t, issuer: certificate.issuer, serial: certificate.serial, keys: enrolment.keys.map(keyInFact) };
  return { next: participant, facts: [participantFact(id, 'participant.enrolled', body)] };
}

function firstKeys(keys: Enrolment['keys'], at: Date): ParticipantKey[] {
  if (keys.length === 0 || keys.length > participantKeysMax) {
    throw new Refusal('unprocessable', 'key.count', 'send one to sixteen signing keys', {
      limit: `participantKeysMax=${participantKeysMax}`,
    });
  }
  return withKeys([], keys, at);
}
