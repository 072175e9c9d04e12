import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '#kernel';
import { KeptOn } from '../kept-on.js';
import { type Authority, normalSerial, type PublishedList, x5tOf } from './mtls-authority.js';
import { hasFreshList, type TrustStore } from './mtls-trust.js';

/** A client certificate that the transport found good: chain, dates, usage, strength, single identity, CRL. */
export interface TransportIdentity {
  readonly x5t: string;
  /** x5t#S256 of the authority that issued it. */
  readonly issuer: string;
  readonly serial: string;
  /** The participant that the SAN URI `urn:tallystick:participant:<id>` names, if any. */
  readonly names?: string;
  readonly notAfter: Date;
  /** The leaf, then its authority, PEM: what the decision above was made on. */
  readonly chain: string;
  /** The list of its authority, in which it is not. */
  readonly list: PublishedList | undefined;
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const PARTICIPANT_URI = /^URI:urn:tallystick:participant:([a-z0-9-]{2,40})$/;
const COMMON_NAME = /(^|\n|\+ ?)CN=/g;
const STRONG_CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const RSA_BITS_MIN = 2048;

/** What OpenSSL says, in our words. Anything else is untrusted. */
const CHAIN_ERRORS: Readonly<Record<string, [code: string, detail: string]>> = {
  CERT_HAS_EXPIRED: ['certificate.expired', 'your certificate has expired: use the renewed one'],
  CERT_NOT_YET_VALID: ['certificate.not_yet_valid', 'your certificate is not valid yet'],
  INVALID_PURPOSE: ['certificate.unsuitable', 'your certificate is not for client authentication'],
};

/** Without renegotiation the certificate of a connection never changes: it is read once, and judged once per authority set. */
interface Peer {
  readonly validity: readonly Validity[];
  readonly identity: TransportIdentity;
  readonly authority: Authority;
  readonly judgedUnder: readonly Authority[];
}
/** Of one certificate; both ends count as in force. */
interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}
const peers = new KeptOn<TLSSocket, Peer>();

/**
 * Judges the peer of an open connection at `at`; cheap enough for every request. All refusals are 401 but the last:
 * `certificate.missing`, `certificate.untrusted`, `certificate.expired`, `certificate.not_yet_valid`, `certificate.unsuitable`,
 * `certificate.revoked`; 503 `certificate.revocation_unknown` where the authority's CRL is missing or out of date (fails closed).
 */
export function identifyPeer(socket: TLSSocket, trust: Pick<TrustStore, 'authorities'>, at: Date): TransportIdentity {
  const known = peers.get(socket);
  const peer = known?.judgedUnder === trust.authorities ? known : judge(socket, trust.authorities);
  peers.set(socket, peer);
  checkDates(peer.validity, at.getTime());
  checkRevocation(peer.authority, peer.identity.serial, at);
  return peer.identity;
}

function judge(socket: TLSSocket, authorities: readonly Authority[]): Peer {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) throw unauthenticated('certificate.missing', 'this door needs your client certificate');
  // OpenSSL judged the chain when the connection (or the session it resumes) began; we judge again what may have changed since.
  if (!socket.authorized) throw chainRefusal(String(socket.authorizationError));
  const authority = authorities.find(({ certificate }) => leaf.checkIssued(certificate) && leaf.verify(certificate.publicKey));
  if (!authority) throw chainRefusal('UNKNOWN_ISSUER');
  checkSuitable(leaf);
  const serial = normalSerial(leaf.serialNumber);
  const identity = {
    ...{ x5t: x5tOf(leaf), issuer: authority.x5t, serial, ...participantNamed(leaf), notAfter: new Date(leaf.validTo) },
    ...{ chain: leaf.toString() + authority.certificate.toString(), list: authority.crl },
  };
  return { validity: [leaf, authority.certificate].map(validityOf), identity, authority, judgedUnder: authorities };
}

function chainRefusal(error: string): Refusal {
  return unauthenticated(
    ...(CHAIN_ERRORS[error] ?? (['certificate.untrusted', 'no authority that we accept issued your certificate'] as const)),
  );
}

function validityOf({ validFrom, validTo }: X509Certificate): Validity {
  return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) };
}

function checkDates(validity: readonly Validity[], atMs: number): void {
  for (const { fromMs, toMs } of validity) {
    if (atMs > toMs) throw chainRefusal('CERT_HAS_EXPIRED');
    if (atMs < fromMs) throw chainRefusal('CERT_NOT_YET_VALID');
  }
}

function checkSuitable(leaf: X509Certificate): void {
  const refuse = (detail: string): never => {
    throw unauthenticated('certificate.unsuitable', detail);
  };
  // Node calls the extended key usage `keyUsage`. A certificate without one could be anything: it must say clientAuth.
  if (!(leaf.keyUsage as readonly string[] | undefined)?.includes(CLIENT_AUTH))
    refuse('the certificate must be for client authentication (clientAuth)');
  if (leaf.ca) refuse('an authority’s own certificate identifies nobody');
  if (!hasStrongKey(leaf)) refuse('the key must be RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519');
  if ((leaf.subject.match(COMMON_NAME) ?? []).length > 1) refuse('the certificate names more than one identity');
  const participants = sanEntries(leaf).filter((entry) => entry.includes('urn:tallystick:participant:'));
  if (participants.length > 1 || participants.some((entry) => !PARTICIPANT_URI.test(entry)))
    refuse('the certificate must name exactly one participant');
}

function hasStrongKey({ publicKey }: X509Certificate): boolean {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= RSA_BITS_MIN;
    case 'ec':
      return STRONG_CURVES.includes(namedCurve);
    default:
      return publicKey.asymmetricKeyType === 'ed25519';
  }
}

/** The name comes from the partner's authority: Node quotes what could fake a separator, so that a quoted entry matches nothing. */
function sanEntries(leaf: X509Certificate): string[] {
  return leaf.subjectAltName?.split(', ') ?? [];
}

function participantNamed(leaf: X509Certificate): { names?: string } {
  const [named] = sanEntries(leaf).flatMap((entry) => PARTICIPANT_URI.exec(entry)?.[1] ?? []);
  return named === undefined ? {} : { names: named };
}

function checkRevocation(authority: Authority, serial: string, at: Date): void {
  if (!hasFreshList(authority, at)) {
    throw new Refusal('unavailable', 'certificate.revocation_unknown', 'your authority’s revocation list is missing or out of date', {
      retryAfterSeconds: 60,
    });
  }
  if (authority.crl?.serials.has(serial)) throw unauthenticated('certificate.revoked', 'this certificate was revoked: use your new one');
}

function unauthenticated(code: string, detail: string): Refusal {
  return new Refusal('unauthenticated', code, detail);
}
