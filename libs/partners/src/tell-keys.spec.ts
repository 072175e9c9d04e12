import { describe, expect, it } from 'vitest';
import { ManualClock } from '#kernel';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';
import { aCertificate, anEnrolment, anotherKey } from './testing/builders.js';
import { Participants } from './participants.js';

const clock = new ManualClock(new Date('2026-11-22T08:00:00.000Z'));

describe('a participant hears what becomes of its keys and certificates, and of ours', () => {
  it('whoever brought it about, each with the fact that says so', async () => {
    const store = new MemoryParticipantStore();
    const participants = new Participants(store, { refresh: () => Promise.resolve() }, clock);
    const { id } = await participants.enrol(anEnrolment());
    const key = anotherKey('key-2');
    await participants.addKey(id, key);
    await participants.retireKey(id, 'key-2');
    await participants.markCompromised(id, 'key-2');
    const { serial } = aCertificate();
    await participants.revokeCertificate(id, serial, 'lost');
    await participants.tellGatewayKey(id, 'gateway_key.replaced', { kid: 'old', use: 'receipt', next: 'new' });
    expect(store.notices.map(({ kind, body }) => [kind, body['kid'] ?? body['serial']])).toEqual([
      ['key.activated', 'key-2'],
      ['key.retired', 'key-2'],
      ['key.compromised', 'key-2'],
      ['certificate.revoked', serial],
      ['gateway_key.replaced', 'old'],
    ]);
    expect(store.notices.at(-1)!.body).toEqual({ kid: 'old', use: 'receipt', next: 'new' });
    for (const { fact } of store.notices) expect(store.facts).toContain(fact);
  });
});
