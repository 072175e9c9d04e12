import { hash, X509Certificate } from 'node:crypto';
import { Refusal } from '#kernel';
import type { RecordEvidence } from './evidence-form.js';
import type { ClaimedFact } from './proven-fact.js';

type Certificate = NonNullable<RecordEvidence['certificate']>;

export interface CheckedCertificate {
  /** What there is to tell of it. */
  readonly detail: string;
  /** The fact of its presentation names a list, so the evidence of its records holds one. */
  readonly isListKept: boolean;
}

const PRESENTED = 'participant.certificate_presented';
const REVOKED = 'participant.certificate_revoked';

/** Facts in which a certificate is named by its fingerprint. */
const CERTIFICATE_FACTS = ['participant.enrolled', 'participant.certificate_added', PRESENTED, REVOKED] as const;

export function concernsCertificate({ kind, body }: Pick<ClaimedFact['entry'], 'kind' | 'body'>, x5t: string): boolean {
  return body['x5t'] === x5t && CERTIFICATE_FACTS.some((known) => known === kind);
}

/**
 * Checks that the chain is the one that the log's facts bind: fingerprints, serial, and the authority's signature on the leaf.
 * Refuses `evidence.certificate_facts`, `evidence.certificate_altered`.
 */
export function checkCertificate(certificate: Certificate, facts: readonly ClaimedFact[]): CheckedCertificate {
  const entries = facts.map(({ entry }) => entry);
  const presented = entries.find(({ kind }) => kind === PRESENTED);
  if (!presented || entries.some((entry) => !concernsCertificate(entry, certificate['x5t#S256']))) {
    throw new Refusal(
      'unprocessable',
      'evidence.certificate_facts',
      'the facts do not say that this certificate was presented, or say more',
    );
  }
  const [leaf, authority] = readChain(certificate.chain);
  const isBound =
    fingerprint(leaf) === certificate['x5t#S256'] &&
    fingerprint(authority) === presented.body['issuer'] &&
    certificate.serial === presented.body['serial'];
  if (!isBound || !leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) {
    throw altered('the chain or the serial is not what the fact of the presentation names');
  }
  const revoked = entries.find(({ kind }) => kind === REVOKED);
  const detail = `certificate ${certificate['x5t#S256']}, valid until ${new Date(leaf.validTo).toISOString()}${revoked ? `, revoked at ${revoked.at}` : ''}`;
  return { detail, isListKept: presented.body['list'] !== undefined };
}

/** Exactly a leaf and its authority, in the one spelling that we write. */
function readChain(chain: string): [leaf: X509Certificate, authority: X509Certificate] {
  const pems = chain.match(/-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  try {
    const [leaf, authority, ...more] = pems.map((pem) => new X509Certificate(pem));
    if (leaf && authority && more.length === 0 && leaf.toString() + authority.toString() === chain) return [leaf, authority];
  } catch {
    // Said below.
  }
  throw altered('the chain is not a leaf and its authority, PEM');
}

function fingerprint({ raw }: X509Certificate): string {
  return hash('sha256', raw, 'base64url');
}

const altered = (detail: string) => new Refusal('unprocessable', 'evidence.certificate_altered', detail);
