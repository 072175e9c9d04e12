import { expect, it } from 'vitest';
import { ManualClock } from '#kernel';
import { activate, scheduleSuspension } from './change-state.js';
import { enrolParticipant } from './enrol-participant.js';
import { ParticipantRegistry } from './participant-registry.js';
import { anEnrolment, AT } from './testing/builders.js';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';
import { TimeKeeper } from './time-keeper.js';

it('what time does to a participant is written down once, and this process knows it at once', async () => {
  const [clock, store] = [new ManualClock(AT), new MemoryParticipantStore()];
  const registry = new ParticipantRegistry(store, clock);
  const keeper = new TimeKeeper(store, registry, clock);
  await store.change('bank-a', () => enrolParticipant(undefined, anEnrolment(), AT));
  await store.change('bank-a', (known) => activate(known!, 'checked', 'otto', AT));
  await store.change('bank-a', (known) => scheduleSuspension(known!, new Date(AT.getTime() + 5_000), 'audit', 'otto', AT));
  await registry.refresh();
  expect(await keeper.run()).toBe(0);
  clock.advance(5_000);
  expect(await keeper.run()).toBe(1);
  expect(registry.get('bank-a').state).toBe('SUSPENDED');
  expect(await keeper.run()).toBe(0);
  expect(store.facts.filter(({ kind }) => kind === 'participant.suspended')).toHaveLength(1);
});
