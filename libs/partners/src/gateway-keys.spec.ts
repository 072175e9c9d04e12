import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEd25519Signer, type Signer, verifyJws } from '#evidence';
import { ManualClock, uuidV7 } from '#kernel';
import { enrolParticipant } from './enrol-participant.js';
import { GatewayKeys, type GatewayKeyPair, KEY_CHECK_TYPE } from './gateway-keys.js';
import { ParticipantRegistry } from './participant-registry.js';
import { aCertificate, anEnrolment, AT } from './testing/builders.js';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';

const newSigner = (kid: string) => createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
const current = newSigner('old');
const next = newSigner('new');

async function aDoor(pair: GatewayKeyPair = { current, next }) {
  const store = new MemoryParticipantStore();
  const clock = new ManualClock(AT);
  const registry = new ParticipantRegistry(store, clock);
  for (const id of ['bank-a', 'bank-b']) {
    const certificate = aCertificate({ x5t: id, serial: id });
    await store.change(id, (known) => enrolParticipant(known, anEnrolment({ id, certificate }), AT));
  }
  await registry.refresh();
  const clerk = {
    digest: (data: string | Uint8Array) => createHash('sha256').update(data).digest('base64url'),
    uuid: (at: Date) => uuidV7(at.getTime(), randomBytes(10)),
  };
  const keys = new GatewayKeys(() => ({ response: pair, receipt: { current: newSigner('receipt') } }), store, registry, clerk, clock);
  return { keys, clock, store, registry };
}

/** What a partner does: which of the tokens verify. */
async function verifiable(tokens: readonly string[], signer: Signer): Promise<number[]> {
  const key = { kid: signer.kid, alg: 'EdDSA', jwk: signer.publicJwk, state: 'ACTIVE' } as const;
  const good = tokens.map((token) =>
    verifyJws(new TextEncoder().encode(token), KEY_CHECK_TYPE, (kid) => (kid === key.kid ? key : undefined)).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(good)).flatMap((ok, i) => (ok ? [i] : []));
}

describe('the gateway’s next key', () => {
  it('is used towards a participant only after that one has proved that it verifies it', async () => {
    const { keys, store, registry } = await aDoor();
    expect(keys.keyFor('response', 'bank-a').kid).toBe('old');
    const { check, tokens } = keys.check('bank-a', 'new', 'https://gateway');
    const valid = await verifiable(tokens, next);
    expect(valid.length).toBeGreaterThan(0);
    expect(valid.length).toBeLessThan(tokens.length);
    await keys.prove('bank-a', 'new', { check, valid });
    await keys.prove('bank-a', 'new', { check, valid });
    expect(keys.keyFor('response', 'bank-a').kid).toBe('new');
    expect(keys.keyFor('response', 'bank-b').kid).toBe('old');
    expect(keys.keyFor('response', undefined).kid).toBe('old');
    expect(keys.view(registry.get('bank-a')).map(({ kid, state }) => `${kid} ${state}`)).toEqual([
      'old REPLACED',
      'new PROVED',
      'receipt ACTIVE',
    ]);
    expect(keys.view(registry.get('bank-b')).map(({ kid, state }) => `${kid} ${state}`)).toEqual([
      'old ACTIVE',
      'new ANNOUNCED',
      'receipt ACTIVE',
    ]);
    expect(store.facts.filter(({ kind }) => kind === 'participant.gateway_key_proved')).toHaveLength(1);
  });

  type Cheat = (good: number[]) => number[];
  const cheats: [what: string, cheat: Cheat][] = [
    ['all', () => [0, 1, 2, 3, 4, 5, 6, 7]],
    ['none', () => []],
    ['one too few', (good) => good.slice(1)],
    ['one too many', (good) => [...good, [0, 1, 2, 3, 4, 5, 6, 7].find((i) => !good.includes(i))!]],
  ];
  it.each(cheats)('is not proved by whoever takes %s for good', async (_what, cheat) => {
    const { keys } = await aDoor();
    const { check, tokens } = keys.check('bank-a', 'new', 'https://gateway');
    const valid = cheat(await verifiable(tokens, next));
    await expect(keys.prove('bank-a', 'new', { check, valid })).rejects.toThrow('gateway_key.check_failed');
    expect(keys.keyFor('response', 'bank-a').kid).toBe('old');
  });

  it('is not proved late, nor where none is announced', async () => {
    const { keys, clock } = await aDoor();
    const { check, tokens } = keys.check('bank-a', 'new', 'https://gateway');
    clock.advance(600_001);
    await expect(keys.prove('bank-a', 'new', { check, valid: await verifiable(tokens, next) })).rejects.toThrow(
      'gateway_key.check_expired',
    );
    expect(() => keys.check('bank-a', 'old', 'https://gateway')).toThrow('gateway_key.unknown');
    expect((await aDoor({ current })).keys.keyFor('response', 'bank-a').kid).toBe('old');
  });
});
