import { Refusal } from '#kernel';
import { keyInFact, type NewKey, sameKey, withKeys } from './change-key.js';
import { changeState } from './change-state.js';
import type { Invitation } from './invitation.js';
import { changed, type Participant, type ParticipantChange, participantFact } from './participant.js';
import { type IssuedCertificate, registerCertificate } from './register-certificate.js';

/** What somebody asks the issuer to certify. The gateway writes it down and cannot sign it. */
export interface CertificateRequest {
  readonly id: string;
  readonly participant: string;
  /** Digest of the invitation it came by; absent: asked for by the participant over the connection it has. */
  readonly invitation?: string;
  /** PKCS#10, PEM. Its key is taken and nothing else of it. */
  readonly csr: string;
  /** Over everything that was asked; the same input again is the same request. */
  readonly inputDigest: string;
  readonly state: 'REQUESTED' | 'ISSUED' | 'REFUSED';
  readonly requestedAt: Date;
  readonly decidedAt?: Date;
  /** The leaf, then its authority, PEM. */
  readonly certificate?: string;
  readonly refused?: { readonly code: string; readonly detail: string };
}

export interface IssuedChain {
  readonly chain: string;
  readonly certificate: IssuedCertificate;
}

const requestsOpenMax = 4;
const certificatesGoodMax = 16;
/** For so long the same CSR again is taken for a repetition; later it asks for the next certificate. */
const repetitionMs = 86_400_000;

/** The request that `inputDigest` repeats, if it does. Refuses 409 `enrolment.conflict` where the invitation was used for another input. */
export function findRepetition(
  requests: readonly CertificateRequest[],
  inputDigest: string,
  invitation: string | undefined,
  at: Date,
): CertificateRequest | undefined {
  if (invitation === undefined) {
    const recent = requests.filter(({ requestedAt }) => at.getTime() - requestedAt.getTime() <= repetitionMs);
    return recent.find((request) => request.invitation === undefined && request.inputDigest === inputDigest && !request.refused);
  }
  const used = requests.find((request) => request.invitation === invitation);
  if (used && used.inputDigest !== inputDigest) {
    throw new Refusal(
      'conflict',
      'enrolment.conflict',
      'this invitation was used with another CSR or other keys: ask for a new invitation',
    );
  }
  return used;
}

/** The invited participant with what it enrols with; its keys have each signed the request. Refuses `key.duplicate`, `key.count`. */
export function applyEnrolment(
  known: Participant,
  request: CertificateRequest,
  { keys, addresses }: { readonly keys: readonly NewKey[]; readonly addresses: readonly string[] | undefined },
  at: Date,
): ParticipantChange {
  const added = keys.filter((key) => !known.keys.some(({ kid, jwk }) => kid === key.kid && sameKey(jwk, key.jwk)));
  const next = changed(known, at, { keys: withKeys(known.keys, added, at), ...(addresses ? { addresses } : {}) });
  const body = { request: request.id, input: request.inputDigest, keys: keys.map(keyInFact), addresses: addresses ?? null };
  return { next, facts: [participantFact(known.id, 'participant.enrolment_requested', body)] };
}

/** Refuses `certificate.count` and, while too many requests wait, 429 `certificate.requests_open`. */
export function askForRenewal(
  known: Participant,
  open: readonly CertificateRequest[],
  request: CertificateRequest,
  at: Date,
): ParticipantChange {
  if (open.filter(({ state }) => state === 'REQUESTED').length >= requestsOpenMax) {
    throw new Refusal('throttled', 'certificate.requests_open', 'your earlier requests are not decided yet', {
      limit: `requestsOpenMax=${requestsOpenMax}`,
      retryAfterSeconds: 10,
    });
  }
  if (known.certificates.filter(({ revoked, notAfter }) => !revoked && notAfter > at).length >= certificatesGoodMax) {
    throw new Refusal('unprocessable', 'certificate.count', 'you hold too many certificates: have one revoked first', {
      limit: `certificatesGoodMax=${certificatesGoodMax}`,
    });
  }
  const body = { request: request.id, input: request.inputDigest };
  return { next: changed(known, at, {}), facts: [participantFact(known.id, 'participant.certificate_requested', body)] };
}

/** The certificate is the participant's; who was INVITED is ENROLLED with it, and ACTIVE where the invitation says so. */
export function acceptIssued(
  known: Participant,
  issued: IssuedCertificate,
  invitation: Invitation | undefined,
  at: Date,
): ParticipantChange {
  const registered = registerCertificate(known, issued, at);
  if (known.state !== 'INVITED') return registered;
  const enrolled = changeState(registered.next, 'ENROLLED', 'enrolled by invitation', invitation?.invitedBy ?? 'issuer', at);
  const facts = [...registered.facts, ...enrolled.facts] as const;
  const { notices } = registered;
  if (!invitation?.activate) return { next: enrolled.next, facts, notices };
  const active = changeState(enrolled.next, 'ACTIVE', 'invited to work at once', invitation.invitedBy, at);
  return { next: active.next, facts: [...facts, ...active.facts], notices };
}

/** The issuer will not certify it; the invitation is spent all the same. */
export function refuseRequest(known: Participant, request: CertificateRequest, code: string, at: Date): ParticipantChange {
  const body = { request: request.id, code };
  return { next: changed(known, at, {}), facts: [participantFact(known.id, 'participant.certificate_refused', body)] };
}
