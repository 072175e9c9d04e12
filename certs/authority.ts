import 'reflect-metadata';
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

/** Something that signs certificates: its certificate and its private key (PKCS#8), both PEM. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

export interface Leaf {
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
  readonly commonName: string;
  readonly names: readonly { readonly type: 'url' | 'dns' | 'ip'; readonly value: string }[];
  readonly usage: 'client' | 'server';
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Revocation {
  readonly serial: string;
  readonly at: string;
}

export const DAY_MS = 86_400_000;
const USAGES = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' };
const CRL_NUMBER = '2.5.29.20';
const ALGORITHMS = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 3072 },
};

/** A self-signed P-256 authority that issues leaves and CRLs only. */
export async function makeEcAuthority(commonName: string, notBefore: Date, notAfter: Date): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHMS.ec, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${commonName},O=Tallystick development`,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHMS.ec,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { certificate: pem(certificate), key: `${key}\n` };
}

export async function issue(authority: Authority, leaf: Leaf): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const { key, algorithm } = await signingKey(authority.key);
  const publicKey = await new x509.PublicKey(leaf.publicKey).export();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${leaf.commonName}`,
    issuer: issuer.subject,
    publicKey,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    signingAlgorithm: algorithm,
    signingKey: key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([USAGES[leaf.usage]]),
      new x509.SubjectAlternativeNameExtension([...leaf.names]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return pem(certificate);
}

/** A complete CRL (RFC 5280 §5); its number is the second it was made in. */
export async function makeCrl(authority: Authority, revoked: readonly Revocation[], thisUpdate: Date, nextUpdate: Date): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const { key, algorithm } = await signingKey(authority.key);
  const number = Buffer.alloc(6, 0);
  number.writeUIntBE(Math.floor(thisUpdate.getTime() / 1000), 0, 6);
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.subject,
    thisUpdate,
    nextUpdate,
    signingAlgorithm: algorithm,
    signingKey: key,
    entries: revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: new Date(at) })),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      new x509.Extension(CRL_NUMBER, false, Buffer.concat([Buffer.from([0x02, number.length]), number])),
    ],
  });
  // OpenSSL reads the label `X509 CRL` only; the library would write another.
  return `${x509.PemConverter.encode(crl.rawData, 'X509 CRL')}\n`;
}

/** 128 random bits, positive. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

export function publicPem(key: KeyObject | string): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

async function signingKey(keyPem: string) {
  const algorithm = createPrivateKey(keyPem).asymmetricKeyType === 'rsa' ? ALGORITHMS.rsa : ALGORITHMS.ec;
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return { algorithm, key: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']) };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
