import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkSignature } from './algorithms.js';
import { derOfSignature, signatureOfDer } from './der-signature.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const raw = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;

describe('a signature of ES256', () => {
  it('is the same in DER and back, also where r or s is short or its first bit is set', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 2_000; i++) {
      const data = Buffer.from(`record ${i}`);
      const der = sign('sha256', data, privateKey);
      const signature = signatureOfDer(der);
      expect(Buffer.from(derOfSignature(signature)).equals(der)).toBe(true);
      expect(signature).toHaveLength(64);
      seen.add(der.length);
      if (i % 50 === 0 || der.length < 70) expect(verify('sha256', data, raw, signature)).toBe(true);
    }
    // 72 where both need a zero, 70 where neither does, fewer where one is short.
    expect([...seen].filter((length) => length < 70).length).toBeGreaterThan(0);
    expect([70, 71, 72].every((length) => seen.has(length))).toBe(true);
  });

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['a byte too few', Buffer.alloc(63, 1)],
    ['a byte too many', Buffer.alloc(65, 1)],
    ['DER', sign('sha256', Buffer.from('data'), privateKey)],
    ['r and s zero', Buffer.alloc(64)],
    ['r and s at their greatest', Buffer.alloc(64, 0xff)],
  ])('that is %s is bad, and no error', (_name, signature) => {
    expect(checkSignature('ES256', Buffer.from('data'), publicKey, signature)).toBe(false);
  });
});
