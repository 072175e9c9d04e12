import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import { type Authority, newSerial } from './authority.js';

const { pki, md } = forge;
const URI = 6;

/** RSA by node-forge: an authority, a partner's CSR, its issuance and a PKCS#12 file. It makes things; it never judges any (STACK: its verification history). */
export function newRsaKey(bits = 3072): string {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function makeRsaAuthority(commonName: string, notBefore: Date, notAfter: Date): Authority {
  const key = newRsaKey();
  const certificate = newCertificate(key, notBefore, notAfter);
  const subject = [
    { name: 'commonName', value: commonName },
    { name: 'organizationName', value: 'Tallystick development' },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(pki.privateKeyFromPem(key), md.sha256.create());
  return { certificate: unix(pki.certificateToPem(certificate)), key };
}

/** What a partner with an RSA key sends to be enrolled. */
export function makeRsaCsr(key: string, commonName: string, uri: string): string {
  const csr = pki.createCertificationRequest();
  csr.publicKey = publicOf(key);
  csr.setSubject([{ name: 'commonName', value: commonName }]);
  const extensions = [{ name: 'subjectAltName', altNames: [{ type: URI, value: uri }] }];
  csr.setAttributes([{ name: 'extensionRequest', extensions }] as forge.pki.Attribute[]);
  csr.sign(pki.privateKeyFromPem(key), md.sha256.create());
  return unix(pki.certificationRequestToPem(csr));
}

export function issueRsaClient(authority: Authority, csrPem: string, uri: string, notBefore: Date, notAfter: Date): string {
  const csr = pki.certificationRequestFromPem(csrPem);
  const issuer = pki.certificateFromPem(authority.certificate);
  const certificate = pki.createCertificate();
  certificate.publicKey = csr.publicKey!;
  certificate.serialNumber = newSerial();
  certificate.validity.notBefore = notBefore;
  certificate.validity.notAfter = notAfter;
  certificate.setSubject(csr.subject.attributes);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', clientAuth: true },
    { name: 'subjectAltName', altNames: [{ type: URI, value: uri }] },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(pki.privateKeyFromPem(authority.key), md.sha256.create());
  return unix(pki.certificateToPem(certificate));
}

/** Key, certificate and chain in one file for browsers and Java. */
export function makePkcs12(key: string, certificates: readonly string[], password: string): Buffer {
  const chain = certificates.map((certificate) => pki.certificateFromPem(certificate));
  const p12 = forge.pkcs12.toPkcs12Asn1(pki.privateKeyFromPem(key), chain, password, { algorithm: 'aes256' });
  return Buffer.from(forge.asn1.toDer(p12).getBytes(), 'binary');
}

function newCertificate(key: string, notBefore: Date, notAfter: Date): forge.pki.Certificate {
  const certificate = pki.createCertificate();
  certificate.publicKey = publicOf(key);
  certificate.serialNumber = newSerial();
  certificate.validity.notBefore = notBefore;
  certificate.validity.notAfter = notAfter;
  return certificate;
}

function publicOf(key: string): forge.pki.rsa.PublicKey {
  const { n, e } = pki.privateKeyFromPem(key);
  return pki.setRsaPublicKey(n, e);
}

function unix(pemText: string): string {
  return pemText.replaceAll('\r\n', '\n');
}
