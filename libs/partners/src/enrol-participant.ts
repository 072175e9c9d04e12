import type { VerificationKey } from '#evidence';
import { Refusal } from '#kernel';
import { type Participant, type ParticipantChange, participantFact, type ParticipantKey, participantKeysMax } from './participant.js';
import { addAuthority, addCertificate, type IssuedCertificate } from './register-certificate.js';

export interface Enrolment {
  readonly id: string;
  readonly name: string;
  readonly certificate: IssuedCertificate;
  readonly keys: readonly Omit<VerificationKey, 'state'>[];
}

const NAME_FORM = /^\P{Control}{1,100}$/u;

/**
 * Enrols an organisation with its first certificate and signing keys; it is ENROLLED and may do nothing until activated.
 * Refuses `participant.exists`, `participant.name_malformed` and `key.duplicate`.
 */
export function enrolParticipant(known: Participant | undefined, enrolment: Enrolment, at: Date): ParticipantChange {
  const { id, name, certificate } = enrolment;
  if (known) throw new Refusal('conflict', 'participant.exists', `${id} is enrolled already: add a certificate or a key to it instead`);
  if (!NAME_FORM.test(name)) throw new Refusal('malformed', 'participant.name_malformed', 'a name is 1 to 100 printable characters');
  const keys = firstKeys(enrolment.keys, at);
  const participant: Participant = {
    ...{ id, name, state: 'ENROLLED', version: 1n, createdAt: at, changedAt: at },
    authorities: addAuthority([], certificate.issuer),
    certificates: addCertificate([], certificate),
    keys,
  };
  const body = { x5t: certificate.x5t, issuer: certificate.issuer, serial: certificate.serial, kids: keys.map(({ kid }) => kid) };
  return { next: participant, facts: [participantFact(id, 'participant.enrolled', body)] };
}

function firstKeys(keys: Enrolment['keys'], at: Date): ParticipantKey[] {
  const kids = new Set(keys.map(({ kid }) => kid));
  if (kids.size !== keys.length) throw new Refusal('conflict', 'key.duplicate', 'two keys carry the same kid');
  if (keys.length === 0 || keys.length > participantKeysMax) {
    throw new Refusal('unprocessable', 'key.count', 'send one to sixteen signing keys', {
      limit: `participantKeysMax=${participantKeysMax}`,
    });
  }
  return keys.map((key) => ({ ...key, state: 'ACTIVE', addedAt: at, changedAt: at }));
}
