import { describe, expect, it } from 'vitest';
import { askForRenewal, type CertificateRequest } from './certificate-request.js';
import { enrolParticipant } from './enrol-participant.js';
import { parseParticipantId, parseParticipantName } from './participant.js';
import { registerCertificate } from './register-certificate.js';
import { aCertificate, anEnrolment, anotherKey, AT } from './testing/builders.js';

const keys = (count: number) => Array.from({ length: count }, (_, i) => anotherKey(`key-${i}`));
const enrolled = enrolParticipant(undefined, anEnrolment(), AT).next;

describe('how many signing keys an organisation enrols with', () => {
  it.each([1, 16])('%i are good', (count) => {
    expect(enrolParticipant(undefined, anEnrolment({ keys: keys(count) }), AT).next.keys).toHaveLength(count);
  });

  it.each([0, 17])('%i are refused', (count) => {
    expect(() => enrolParticipant(undefined, anEnrolment({ keys: keys(count) }), AT)).toThrow('key.count');
  });
});

describe('how many certificates a participant may hold', () => {
  const request: CertificateRequest = {
    id: 'enr_1',
    participant: 'bank-a',
    csr: 'CSR',
    inputDigest: 'd',
    state: 'REQUESTED',
    requestedAt: AT,
  };
  const registered = (count: number, change: object = {}) => ({
    ...enrolled,
    certificates: Array.from({ length: count }, (_, i) => ({ ...enrolled.certificates[0]!, ...aCertificate({ x5t: `x${i}` }), ...change })),
  });
  const ask = (known: typeof enrolled) => askForRenewal(known, [], request, AT).facts.map(({ kind }) => kind);

  it('fifteen that are good leave room for one', () => {
    expect(ask(registered(15))).toEqual(['participant.certificate_requested']);
  });

  it('sixteen that are good leave none', () => {
    expect(() => ask(registered(16))).toThrow('certificate.count');
  });

  it.each([
    ['revoked', { revoked: { at: AT, reason: 'lost' } }],
    ['over', { notAfter: AT }],
  ])('those that are %s do not count', (_what, change) => {
    expect(ask(registered(16, change))).toHaveLength(1);
  });
});

describe('a certificate', () => {
  it.each([
    ['the same', {}],
    ['the same fingerprint under another serial', { serial: 'a2' }],
    ['the same serial of the same issuer', { x5t: 'x5t-2' }],
  ])('is registered once: %s is refused', (_what, change) => {
    expect(() => registerCertificate(enrolled, aCertificate(change), AT)).toThrow('certificate.registered');
  });

  it('may have the serial of another issuer’s', () => {
    const { next } = registerCertificate(enrolled, aCertificate({ x5t: 'x5t-2', issuer: 'authority-2' }), AT);
    expect(next.certificates.map(({ issuer }) => issuer)).toEqual(['authority-1', 'authority-2']);
    expect(next.authorities).toEqual(['authority-1', 'authority-2']);
  });
});

describe('what a participant may be called', () => {
  it.each(['ab', 'bank-a', 'a'.repeat(40), '0-9'])('the id %j is good', (id) => {
    expect(parseParticipantId(id)).toBe(id);
  });

  it.each(['a', 'a'.repeat(41), 'Bank', 'bank_a', 'bank a', '', 'bánk', 'bank-a\n'])('the id %j is refused', (id) => {
    expect(() => parseParticipantId(id)).toThrow('participant.id_malformed');
  });

  it.each(['', 'x'.repeat(101), 'Bank\nA', 'Bank\u001b[31m'])('the name %j is refused', (name) => {
    expect(() => parseParticipantName(name)).toThrow('participant.name_malformed');
  });
});
