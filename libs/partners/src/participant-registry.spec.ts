import { describe, expect, it } from 'vitest';
import { ManualClock } from '#kernel';
import type { ParticipantState } from './participant.js';
import { ParticipantRegistry } from './participant-registry.js';
import { Participants } from './participants.js';
import type { PresentedCertificate } from './registry-view.js';
import { aCertificate, aKey, anEnrolment, anotherKey, AT } from './testing/builders.js';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';
import { participantStoreContract } from './testing/participant-store-contract.js';

describe('MemoryParticipantStore', () => {
  const store = new MemoryParticipantStore();
  participantStoreContract(
    () => store,
    (participant) => Promise.resolve(store.facts.filter((fact) => fact.participant === participant).length),
  );
});

async function aRegistry() {
  const store = new MemoryParticipantStore();
  const clock = new ManualClock(AT);
  const registry = new ParticipantRegistry(store, clock);
  const participants = new Participants(store, registry, clock);
  await participants.enrol(anEnrolment());
  await participants.enrol(anEnrolment({ id: 'bank-b', certificate: aCertificate({ x5t: 'x5t-b', issuer: 'authority-b', serial: 'b1' }) }));
  await participants.activate('bank-a', 'checked');
  return { store, clock, registry, participants };
}

describe('whose certificate it is', () => {
  const rows: [what: string, presented: PresentedCertificate, answer: string][] = [
    ['registered', { x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1' }, 'bank-a'],
    ['registered and naming its owner', { x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1', names: 'bank-a' }, 'bank-a'],
    ['registered but naming another', { x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1', names: 'bank-b' }, 'certificate.unregistered'],
    ['renewed under the accepted authority', { x5t: 'new', issuer: 'authority-1', serial: 'a2', names: 'bank-a' }, 'bank-a'],
    [
      'naming a participant under another’s authority',
      { x5t: 'new', issuer: 'authority-b', serial: 'b2', names: 'bank-a' },
      'certificate.unregistered',
    ],
    ['unknown and naming nobody', { x5t: 'new', issuer: 'authority-1', serial: 'a3' }, 'certificate.unregistered'],
    ['naming nobody we know', { x5t: 'new', issuer: 'authority-1', serial: 'a4', names: 'bank-z' }, 'certificate.unregistered'],
  ];

  it.each(rows)('%s', async (_what, presented, answer) => {
    const { registry } = await aRegistry();
    const ask = () => registry.findByCertificate(presented);
    if (answer.includes('.')) expect(ask).toThrow(answer);
    else expect(ask().id).toBe(answer);
  });

  it('is refused from the moment it is revoked, by fingerprint and by serial', async () => {
    const { registry, participants } = await aRegistry();
    await participants.revokeCertificate('bank-a', 'a1', 'lost');
    expect(() => registry.findByCertificate({ x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1' })).toThrow('certificate.revoked');
    expect(() => registry.findByCertificate({ x5t: 'copy', issuer: 'authority-1', serial: 'a1', names: 'bank-a' })).toThrow(
      'certificate.revoked',
    );
    expect(registry.findByCertificate({ x5t: 'new', issuer: 'authority-1', serial: 'a2', names: 'bank-a' }).id).toBe('bank-a');
  });
});

describe('a participant’s state', () => {
  const rows: [path: ParticipantState[], end: string][] = [
    [[], 'bank-a'],
    [['SUSPENDED'], 'participant.suspended'],
    [['SUSPENDED', 'ACTIVE'], 'bank-a'],
    [['SUSPENDED', 'CLOSED'], 'participant.closed'],
    [['CLOSED'], 'participant.transition'],
    [['ACTIVE'], 'participant.transition'],
    [['SUSPENDED', 'CLOSED', 'ACTIVE'], 'participant.transition'],
  ];

  it.each(rows)('%j ends in %s', async (path, end) => {
    const { registry, participants } = await aRegistry();
    const close = async () => {
      await participants.proposeClosing('bank-a', 'because', 'otto');
      await participants.confirmClosing('bank-a', 'ada');
    };
    const moves: Partial<Record<ParticipantState, () => Promise<unknown>>> = {
      ACTIVE: () => participants.activate('bank-a', 'because'),
      SUSPENDED: () => participants.suspend('bank-a', 'because'),
      CLOSED: close,
    };
    const walk = async () => {
      for (const state of path) await moves[state]!();
      return registry.findByCertificate({ x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1' }).id;
    };
    if (end.includes('.')) await expect(walk()).rejects.toThrow(end);
    else expect(await walk()).toBe(end);
  });
});

describe('signing keys', () => {
  it('overlap while they rotate', async () => {
    const { registry, participants } = await aRegistry();
    await participants.addKey('bank-a', anotherKey('key-2'));
    expect(registry.findKey('bank-a', 'key-1')?.state).toBe('ACTIVE');
    await participants.retireKey('bank-a', 'key-1');
    expect(registry.findKey('bank-a', 'key-1')?.state).toBe('RETIRED');
    expect(registry.findKey('bank-a', 'key-2')?.state).toBe('ACTIVE');
  });

  it.each([
    ['key.duplicate', (participants: Participants) => participants.addKey('bank-a', aKey)],
    ['key.duplicate', (participants: Participants) => participants.addKey('bank-a', { ...aKey, kid: 'key-2' })],
    ['key.last', (participants: Participants) => participants.retireKey('bank-a', 'key-1')],
    ['key.unknown', (participants: Participants) => participants.markCompromised('bank-a', 'key-9')],
    ['participant.unknown', (participants: Participants) => participants.markCompromised('bank-z', 'key-1')],
    ['participant.exists', (participants: Participants) => participants.enrol(anEnrolment())],
    ['certificate.registered', (participants: Participants) => participants.registerCertificate('bank-a', aCertificate())],
    ['certificate.unknown', (participants: Participants) => participants.revokeCertificate('bank-a', 'ff', 'lost')],
  ])('refuses %s', async (code, act) => {
    const { participants } = await aRegistry();
    await expect(act(participants)).rejects.toThrow(code);
  });

  it('never come back once compromised', async () => {
    const { participants } = await aRegistry();
    await participants.markCompromised('bank-a', 'key-1');
    await participants.addKey('bank-a', anotherKey('key-2'));
    await expect(participants.retireKey('bank-a', 'key-1')).rejects.toThrow('key.transition');
    await expect(participants.addKey('bank-a', aKey)).rejects.toThrow('key.duplicate');
  });
});

describe('the view', () => {
  it('fails closed ten seconds after it was last confirmed', async () => {
    const { registry, clock } = await aRegistry();
    clock.advance(10_000);
    expect(registry.get('bank-a').id).toBe('bank-a');
    clock.advance(1);
    expect(() => registry.get('bank-a')).toThrow('registry.stale');
    expect(() => registry.findKey('bank-a', 'key-1')).toThrow('registry.stale');
    await registry.refresh();
    expect(registry.get('bank-a').id).toBe('bank-a');
  });

  it('knows nobody who is not in it', async () => {
    const { registry } = await aRegistry();
    expect(registry.find('nobody')).toBeUndefined();
    expect(() => registry.get('nobody')).toThrow('participant.unknown');
  });

  it('says when something changed, and only then', async () => {
    const { registry, participants } = await aRegistry();
    let changes = 0;
    registry.onChange(() => changes++);
    await registry.refresh();
    expect(changes).toBe(0);
    await participants.suspend('bank-a', 'audit');
    expect(changes).toBe(1);
  });
});
