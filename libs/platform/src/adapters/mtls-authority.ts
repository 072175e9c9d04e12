import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { X509Certificate as CertificateDocument, X509Crl } from '@peculiar/x509';

/** Who may issue client certificates, with what it has revoked. `x5t` is the SHA-256 of its certificate, base64url. */
export interface Authority {
  readonly name: string;
  readonly x5t: string;
  readonly pem: string;
  readonly certificate: X509Certificate;
  readonly crl: RevocationList | undefined;
}

export interface RevocationList {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serials in lower-case hexadecimal without leading zeros. */
  readonly serials: ReadonlySet<string>;
}

export async function readAuthority(name: string, pem: string, crlPem: string | undefined): Promise<Authority> {
  const certificate = new X509Certificate(pem);
  if (!certificate.ca) throw new Error(`${name}: not a certificate authority`);
  const crl = crlPem === undefined ? undefined : await readRevocationList(name, crlPem, certificate);
  return { name, x5t: x5tOf(certificate), pem, certificate, crl };
}

/** A list counts only under its own authority's signature (RFC 5280 §6.3.3) and with a date for the next one. */
async function readRevocationList(name: string, pem: string, authority: X509Certificate): Promise<RevocationList> {
  const crl = new X509Crl(pem);
  const issuer = new CertificateDocument(authority.raw);
  if (crl.issuer !== issuer.subject || !(await crl.verify({ publicKey: issuer.publicKey }))) {
    throw new Error(`${name}: the CRL is not signed by this authority`);
  }
  if (!crl.nextUpdate) throw new Error(`${name}: the CRL does not say when the next one comes`);
  const serials = new Set(crl.entries.map((entry) => normalSerial(entry.serialNumber)));
  return { thisUpdate: crl.thisUpdate, nextUpdate: crl.nextUpdate, serials };
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
