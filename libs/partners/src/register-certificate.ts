import { Refusal } from '#kernel';
import { changed, type Participant, type ParticipantCertificate, type ParticipantChange, participantFact } from './participant.js';

/** A certificate as an authority issued it, without anything that happened to it later. */
export type IssuedCertificate = Omit<ParticipantCertificate, 'revoked'>;

/** Adds a certificate; the ones before stay good until they expire or are revoked, so that rotation overlaps. Refuses `certificate.registered`. */
export function registerCertificate(known: Participant, certificate: IssuedCertificate, at: Date): ParticipantChange {
  const next = changed(known, at, {
    certificates: addCertificate(known.certificates, certificate),
    authorities: addAuthority(known.authorities, certificate.issuer),
  });
  const { x5t, issuer, serial, notAfter } = certificate;
  const fact = participantFact(known.id, 'participant.certificate_added', { x5t, issuer, serial });
  const told = { 'x5t#S256': x5t, serial, notAfter: notAfter.toISOString() };
  return { next, facts: [fact], notices: [{ fact, kind: 'certificate.issued', body: told }] };
}

/** Revokes at once and for good. Refuses `certificate.unknown`; revoking again changes nothing but says so in a fact. */
export function revokeCertificate(known: Participant, serial: string, reason: string, at: Date): ParticipantChange {
  const target = known.certificates.find((certificate) => certificate.serial === serial);
  if (!target) throw new Refusal('not_found', 'certificate.unknown', `${known.id} has no certificate with serial ${serial}`);
  const revoked = target.revoked ?? { at, reason };
  const certificates = known.certificates.map((certificate) => (certificate === target ? { ...target, revoked } : certificate));
  const body = { x5t: target.x5t, issuer: target.issuer, serial, reason };
  const fact = participantFact(known.id, 'participant.certificate_revoked', body);
  const told = { 'x5t#S256': target.x5t, serial, reason };
  return { next: changed(known, at, { certificates }), facts: [fact], notices: [{ fact, kind: 'certificate.revoked', body: told }] };
}

export function addCertificate(known: readonly ParticipantCertificate[], added: IssuedCertificate): ParticipantCertificate[] {
  const same = ({ x5t, issuer, serial }: ParticipantCertificate) =>
    x5t === added.x5t || (issuer === added.issuer && serial === added.serial);
  if (known.some(same)) throw new Refusal('conflict', 'certificate.registered', 'this certificate is registered already');
  return [...known, added];
}

export function addAuthority(known: readonly string[], issuer: string): readonly string[] {
  return known.includes(issuer) ? known : [...known, issuer];
}
