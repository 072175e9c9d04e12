import { expect, it } from 'vitest';
import { addKey, markCompromised } from '../change-key.js';
import { suspend, activate } from '../change-state.js';
import { enrolParticipant } from '../enrol-participant.js';
import type { Participant } from '../participant.js';
import { registerCertificate, revokeCertificate } from '../register-certificate.js';
import type { ParticipantStore } from '../store.js';
import { aCertificate, aKey, anEnrolment, AT } from './builders.js';

/** What every store promises; run it on each. `factCount` tells how many facts of a participant were saved. */
export function participantStoreContract(make: () => ParticipantStore, factCount: (participant: string) => Promise<number>): void {
  const LATER = new Date(AT.getTime() + 1000);
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
      (known: Participant) => activate(known, 'checked', LATER),
      (known: Participant) => addKey(known, { ...aKey, kid: 'key-2' }, LATER),
      (known: Participant) => markCompromised(known, 'key-2', LATER),
      (known: Participant) =>
        registerCertificate(known, aCertificate({ x5t: 'x5t-a2', issuer: 'authority-2', serial: 'a2', notBefore: LATER }), LATER),
      (known: Participant) => revokeCertificate(known, 'a2', 'lost', LATER),
      (known: Participant) => suspend(known, 'audit', LATER),
    ];
    let last: Participant | undefined;
    for (const step of steps) last = await store.change('contract-a', (known) => step(must(known)));
    expect(await byId(store, 'contract-a')).toEqual(last);
    expect(last).toMatchObject({ state: 'SUSPENDED', version: 7n, authorities: ['authority-1', 'authority-2'] });
    expect(await factCount('contract-a')).toBe(7);
  });

  it('changes its revision with every change and only then', async () => {
    const store = make();
    await enrolled(store, 'contract-b');
    const before = await store.revision();
    expect(await store.revision()).toBe(before);
    await store.change('contract-b', (known) => activate(must(known), 'checked', LATER));
    expect(await store.revision()).not.toBe(before);
  });

  it('saves nothing of a rule that refuses', async () => {
    const store = make();
    await enrolled(store, 'contract-c');
    await expect(store.change('contract-c', (known) => suspend(must(known), 'no', LATER))).rejects.toThrow(/participant.transition/);
    expect(await byId(store, 'contract-c')).toMatchObject({ state: 'ENROLLED', version: 1n });
    expect(await factCount('contract-c')).toBe(1);
  });

  it('lets changes of one participant in one after the other', async () => {
    const store = make();
    await enrolled(store, 'contract-d');
    const add = (n: number) => store.change('contract-d', (known) => addKey(must(known), { ...aKey, kid: `more-${n}` }, LATER));
    await Promise.all([1, 2, 3, 4, 5].map(add));
    expect((await byId(store, 'contract-d'))?.keys).toHaveLength(6);
    const again = await Promise.allSettled([enrolled(store, 'contract-e'), enrolled(store, 'contract-e')]);
    expect(again.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
}
