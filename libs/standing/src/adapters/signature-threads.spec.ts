import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type CheckKind, type SignatureCheck, type VerificationKey, verifyJws, verifyMany } from '#evidence';
import { Refusal } from '#kernel';
import { SignatureThreads } from './signature-threads.js';

const threads = new SignatureThreads(2);
afterEach(() => threads.close());

describe('lines that are verified together', () => {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(new URL(`../../../../test/vectors/jose/${name}`, import.meta.url), 'utf8'));
  const keys = new Map((read('keys.json') as VerificationKey[]).map((key) => [key.kid, key]));
  const { typ, cases } = read('cases.json') as { typ: string; cases: { name: string; jws: string }[] };
  const find = (kid: string) => keys.get(kid);

  it('get the answers that each would have had alone, good ones and bad ones, whatever stands beside them', async () => {
    const lines = [...cases, ...cases.toReversed()].map(({ jws }) => Buffer.from(jws));
    const together = await verifyMany(lines, typ, find, (checks) => threads.check(checks));
    const alone = await Promise.all(lines.map((line) => verifyJws(line, typ, find).catch((error: unknown) => error)));
    expect(together.map(told)).toEqual(alone.map(told));
    expect(together.filter((one) => !(one instanceof Refusal)).length).toBeGreaterThanOrEqual(6);
  });

  const told = (answer: unknown) => (answer instanceof Refusal ? [answer.code, answer.detail] : answer);
});

describe('threads that check signatures', () => {
  it('answer in the order asked, under as many keys as there are', async () => {
    const signers = Array.from({ length: 5 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    const hows = signers.map(({ publicKey }): CheckKind => ({ hash: 'sha256', key: { key: publicKey, dsaEncoding: 'ieee-p1363' } }));
    const checks = Array.from({ length: 403 }, (_, i) => checkOf(signers[i % 5]!.privateKey, hows[i % 5]!, i));
    expect(await threads.check(checks)).toEqual(checks.map((_, i) => i % 3 !== 0));
    expect(await threads.check([])).toEqual([]);
  });

  it('fail the page whose thread ends, and check the next one', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const how: CheckKind = { hash: 'sha256', key: { key: publicKey, dsaEncoding: 'ieee-p1363' } };
    const checks = Array.from({ length: 400 }, (_, i) => checkOf(privateKey, how, i));
    const ended = expect(threads.check(checks)).rejects.toThrow(/thread/);
    await threads.close();
    await ended;
    expect(await threads.check(checks)).toEqual(checks.map((_, i) => i % 3 !== 0));
  });

  /** Every third is spoilt: in what was signed, in the signature, or in its length. */
  function checkOf(key: KeyObject, how: CheckKind, i: number): SignatureCheck {
    const data = Buffer.from(`record ${i}`);
    const signature = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    if (i % 3 !== 0) return { how, data, signature };
    if (i % 9 === 0) return { how, data: Buffer.from(`record ${i + 1}`), signature };
    if (i % 9 === 3) return { how, data, signature: signature.subarray(0, 63) };
    signature[5]! ^= 1;
    return { how, data, signature };
  }
});
