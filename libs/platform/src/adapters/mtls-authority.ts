import { hash, X509Certificate } from 'node:crypto';
import { parseRevocationList, type RevocationList } from '#evidence';

/** Who may issue client certificates, with what it has revoked. `x5t` is the SHA-256 of its certificate, base64url. */
export interface Authority {
  readonly name: string;
  readonly x5t: string;
  readonly pem: string;
  readonly certificate: X509Certificate;
  readonly crl: PublishedList | undefined;
}

/** A list as it was published; `digest` is its SHA-256, base64url. */
export interface PublishedList extends RevocationList {
  readonly der: Uint8Array;
  readonly digest: string;
}

export function readAuthority(name: string, pem: string, crlPem: string | undefined): Authority {
  const certificate = new X509Certificate(pem);
  if (!certificate.ca) throw new Error(`${name}: not a certificate authority`);
  const crl = crlPem === undefined ? undefined : readRevocationList(name, crlPem, certificate);
  return { name, x5t: x5tOf(certificate), pem, certificate, crl };
}

/** A list counts only under its own authority's signature (RFC 5280 §6.3.3). Throws; refuses what `parseRevocationList` refuses. */
function readRevocationList(name: string, pem: string, authority: X509Certificate): PublishedList {
  const [, body] = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/.exec(pem) ?? [];
  if (body === undefined) throw new Error(`${name}: the CRL is not PEM`);
  const der = Buffer.from(body, 'base64');
  const list = parseRevocationList(der);
  if (!list.isSignedBy(authority)) throw new Error(`${name}: the CRL is not signed by this authority`);
  return { ...list, der, digest: hash('sha256', der, 'base64url') };
}

/** What the registry keeps of a certificate. Throws where this authority did not issue it. */
export function readIssuedCertificate(certificatePem: string, authorityPem: string): IssuedUnder {
  const [certificate, authority] = [new X509Certificate(certificatePem), new X509Certificate(authorityPem)];
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    throw new Error('another authority issued this certificate');
  return {
    x5t: x5tOf(certificate),
    issuer: x5tOf(authority),
    serial: normalSerial(certificate.serialNumber),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}

export interface IssuedUnder {
  readonly x5t: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function x5tOf(certificate: X509Certificate): string {
  return Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

/** Lower-case hexadecimal without leading zeros: the one spelling that CRLs, certificates and the registry share. */
export function normalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}
