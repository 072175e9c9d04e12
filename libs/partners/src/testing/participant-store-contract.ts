import { expect, it } from 'vitest';
import { addKey, announceKey, markCompromised } from '../change-key.js';
import { activate, cancelSuspension, proposeClosing, scheduleSuspension, suspend } from '../change-state.js';
import { enrolParticipant } from '../enrol-participant.js';
import type { Participant } from '../participant.js';
import { registerCertificate, revokeCertificate } from '../register-certificate.js';
import type { ParticipantStore } from '../store.js';
import { aCertificate, anEnrolment, anotherKey, AT } from './builders.js';

/** What every store promises; run it on each. `factCount` tells how many facts of a participant were saved. */
export function participantStoreContract(make: () => ParticipantStore, factCount: (participant: string) => Promise<number>): void {
  const LATER = new Date(AT.getTime() + 1000);
  const SOON = new Date(AT.getTime() + 2000);
  const enrolled = (store: ParticipantStore, id: string) =>
    store.change(id, (known) =>
      enrolParticipant(known, anEnrolment({ id, certificate: aCertificate({ x5t: `x5t-${id}`, serial: id }) }), AT),
    );
  const byId = async (store: ParticipantStore, id: string) => (await store.loadAll()).find((participant) => participant.id === id);
  const must = (known: Participant | undefined): Participant => known!;

  it('loads what it saved, every change of it', async () => {
    const store = make();
    await enrolled(store, 'contract-a');
    const steps = [
      (known: Participant) => activate(known, 'checked', 'otto', LATER),
      (known: Participant) => addKey(known, anotherKey('key-2'), LATER),
      (known: Participant) => markCompromised(known, 'key-2', AT, LATER),
      (known: Participant) =>
        registerCertificate(known, aCertificate({ x5t: 'x5t-a2', issuer: 'authority-2', serial: 'a2', notBefore: LATER }), LATER),
      (known: Participant) => revokeCertificate(known, 'a2', 'lost', LATER),
      (known: Participant) => announceKey(known, anotherKey('key-3'), 'sign this', LATER)!,
      (known: Participant) => scheduleSuspension(known, SOON, 'audit', 'otto', LATER),
      (known: Participant) => ({ ...cancelSuspension(known, 'otto', LATER), next: { ...known, addresses: ['203.0.113.0/24'] } }),
      (known: Participant) => suspend(known, 'audit', 'otto', LATER),
      (known: Participant) => proposeClosing(known, 'merged', 'otto', LATER),
    ];
    let last: Participant | undefined;
    for (const step of steps) last = await store.change('contract-a', (known) => step(must(known)));
    expect(await byId(store, 'contract-a')).toEqual(last);
    expect(last).toMatchObject({ state: 'SUSPENDED', authorities: ['authority-1', 'authority-2'] });
    expect(await factCount('contract-a')).toBe(steps.length + 1);
  });

  it('changes its revision with every change and only then', async () => {
    const store = make();
    await enrolled(store, 'contract-b');
    const before = await store.revision();
    expect(await store.revision()).toBe(before);
    await store.change('contract-b', (known) => activate(must(known), 'checked', 'otto', LATER));
    expect(await store.revision()).not.toBe(before);
  });

  it('saves nothing where a rule finds nothing to change', async () => {
    const store = make();
    await enrolled(store, 'contract-f');
    const before = await store.revision();
    expect(await store.change('contract-f', () => undefined)).toMatchObject({ id: 'contract-f', version: 1n });
    expect(await store.revision()).toBe(before);
    expect(await factCount('contract-f')).toBe(1);
  });

  it('saves nothing of a rule that refuses', async () => {
    const store = make();
    await enrolled(store, 'contract-c');
    await expect(store.change('contract-c', (known) => suspend(must(known), 'no', 'otto', LATER))).rejects.toThrow(
      /participant.transition/,
    );
    expect(await byId(store, 'contract-c')).toMatchObject({ state: 'ENROLLED', version: 1n });
    expect(await factCount('contract-c')).toBe(1);
  });

  it('lets changes of one participant in one after the other', async () => {
    const store = make();
    await enrolled(store, 'contract-d');
    const add = (n: number) => store.change('contract-d', (known) => addKey(must(known), anotherKey(`more-${n}`), LATER));
    await Promise.all([1, 2, 3, 4, 5].map(add));
    expect((await byId(store, 'contract-d'))?.keys).toHaveLength(6);
    const again = await Promise.allSettled([enrolled(store, 'contract-e'), enrolled(store, 'contract-e')]);
    expect(again.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
}
