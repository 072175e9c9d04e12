import 'reflect-metadata';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { BasicConstraintsExtension, cryptoProvider, Extension, X509CertificateGenerator, X509CrlGenerator } from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { decodeBase64Url } from '../jose/base64url.js';
import { CHAIN, LISTS } from '../testing/published-lists.js';
import { parseRevocationList } from './revocation-list.js';

const authority = new X509Certificate(CHAIN.slice(CHAIN.lastIndexOf('-----BEGIN')));
const good = () => decodeBase64Url(LISTS.good, 'list');
const codeOf = (bytes: Uint8Array) => {
  try {
    parseRevocationList(bytes);
    return 'read';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

beforeAll(() => cryptoProvider.set(webcrypto));

describe('a revocation list that openssl made', () => {
  it('is read, and believed of its authority alone', () => {
    const list = parseRevocationList(good());
    expect([list.thisUpdate, list.nextUpdate, [...list.serials]]).toEqual([new Date('2026-12-31'), new Date('2027-01-31'), ['77']]);
    expect([...parseRevocationList(decodeBase64Url(LISTS.revoked, 'list')).serials]).toEqual(['77', '1234']);
    expect(list.isSignedBy(authority)).toBe(true);
    expect(parseRevocationList(decodeBase64Url(LISTS.foreign, 'list')).isSignedBy(authority)).toBe(false);
  });

  it('is refused or not believed with any byte changed, cut anywhere, or longer', () => {
    const bytes = good();
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      const isBelieved = codeOf(changed) === 'read' && parseRevocationList(changed).isSignedBy(authority);
      expect([at, isBelieved]).toEqual([at, false]);
      expect(codeOf(bytes.subarray(0, at))).toBe('crl.malformed');
    }
    expect(codeOf(Buffer.concat([bytes, Buffer.of(0)]))).toBe('crl.malformed');
  });
});

describe('a list under each algorithm', () => {
  const algorithms: Readonly<Record<string, webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams>> = {
    'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
    'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
    RSA: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    'RSA-PSS': { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    Ed25519: { name: 'Ed25519', namedCurve: 'Ed25519' },
  };

  async function made(name: string, extensions: Extension[] = [], entryExtensions: Extension[] = []) {
    const keys = (await webcrypto.subtle.generateKey(algorithms[name]!, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const signingAlgorithm = { ...algorithms[name]!, hash: name === 'P-384' ? 'SHA-384' : 'SHA-256', saltLength: 32 };
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=authority',
      keys,
      signingAlgorithm,
      notAfter: new Date(Date.now() + 86_400_000),
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    const crl = await X509CrlGenerator.create({
      issuer: 'CN=authority',
      thisUpdate: new Date(0),
      nextUpdate: new Date(86_400_000),
      signingKey: keys.privateKey,
      signingAlgorithm,
      extensions,
      entries: [
        { serialNumber: '00ab', revocationDate: new Date(0), ...(entryExtensions.length > 0 ? { extensions: entryExtensions } : {}) },
      ],
    });
    return { list: new Uint8Array(crl.rawData), certificate: new X509Certificate(Buffer.from(certificate.rawData)) };
  }

  it.each(Object.keys(algorithms))('%s', async (name) => {
    const { list, certificate } = await made(name);
    const { serials, isSignedBy } = parseRevocationList(list);
    expect([[...serials], isSignedBy(certificate), isSignedBy(authority)]).toEqual([['ab'], true, false]);
  });

  it('with a critical extension that would change its meaning is not taken for a whole list', async () => {
    const delta = new Extension('2.5.29.27', true, Buffer.from('020101', 'hex'));
    expect(codeOf((await made('P-256', [delta])).list)).toBe('crl.unsupported');
    const harmless = new Extension('2.5.29.20', false, Buffer.from('020101', 'hex'));
    expect(codeOf((await made('P-256', [harmless])).list)).toBe('read');
  });

  it('is not checked with a key of another kind', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(parseRevocationList(good()).isSignedBy({ raw: authority.raw, publicKey } as X509Certificate)).toBe(false);
  });
});
