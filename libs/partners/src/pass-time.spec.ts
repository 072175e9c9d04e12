import { describe, expect, it } from 'vitest';
import { ManualClock } from '#kernel';
import { enrolParticipant } from './enrol-participant.js';
import { ParticipantRegistry } from './participant-registry.js';
import { dueStep, passTime } from './pass-time.js';
import { aCertificate, anEnrolment, anotherKey, AT } from './testing/builders.js';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';
import { TimeKeeper } from './time-keeper.js';

const DAY_MS = 86_400_000;
const END = new Date(AT.getTime() + 90 * DAY_MS);
const before = (days: number) => new Date(END.getTime() - days * DAY_MS);

describe('the step to announce', () => {
  const rows: [daysLeft: number, announced: number | undefined, step: number | undefined][] = [
    [30.1, undefined, undefined],
    [30, undefined, 30],
    [29, 30, undefined],
    [14, 30, 14],
    [5, undefined, 7],
    [5, 7, undefined],
    // The clock was set back, or a step was passed over while nobody looked.
    [20, 7, undefined],
    [0.5, 7, 1],
    [0.1, 1, undefined],
    [0, 7, undefined],
    [-1, undefined, undefined],
  ];
  it.each(rows)('%s days ahead, after %s: %s', (daysLeft, announced, step) => {
    const ending = { notAfter: END, ...(announced === undefined ? {} : { announcedDays: announced }) };
    expect(dueStep(ending, before(daysLeft))).toBe(step);
  });
});

async function aKeeper() {
  const store = new MemoryParticipantStore();
  const clock = new ManualClock(AT);
  const certificate = aCertificate({ notAfter: END });
  await store.change('bank-a', (known) => enrolParticipant(known, anEnrolment({ certificate }), AT));
  const registries = [new ParticipantRegistry(store, clock), new ParticipantRegistry(store, clock)];
  for (const registry of registries) await registry.refresh();
  const [one, two] = registries.map((registry) => new TimeKeeper(store, registry, clock)) as [TimeKeeper, TimeKeeper];
  const told = () => store.notices.map(({ kind, body }) => `${kind} ${String(body['days'])}`);
  return { store, clock, one, two, registries, told };
}

describe('the announcement of an expiry', () => {
  it('is made once for each step: two workers, sweeps that repeat, a clock set back', async () => {
    const { clock, one, two, registries, told, store } = await aKeeper();
    const at = [31, 30, 29.9, 14, 20, 13, 6, 7, 0.5, 3, 0.4].map(before);
    for (const moment of at) {
      clock.set(moment);
      for (const registry of registries) await registry.refresh();
      await Promise.all([one.run(), two.run()]);
      await one.run();
    }
    expect(told()).toEqual([30, 14, 7, 1].map((days) => `certificate.expiring ${days}`));
    expect(store.facts.filter(({ kind }) => kind === 'participant.certificate_expiring')).toHaveLength(4);
  });

  it('is not made for a certificate that was revoked, nor to whoever is closed', () => {
    const certificate = { ...aCertificate({ notAfter: END }), revoked: { at: AT, reason: 'lost' } };
    const { next } = enrolParticipant(undefined, anEnrolment(), AT);
    expect(passTime({ ...next, certificates: [certificate] }, before(5))).toBeUndefined();
    expect(passTime({ ...next, certificates: [aCertificate({ notAfter: END })] }, before(5))).toBeDefined();
    expect(passTime({ ...next, state: 'CLOSED', certificates: [aCertificate({ notAfter: END })] }, before(5))).toBeUndefined();
  });

  it('is noted of the key that ends, and of no other', () => {
    const { next } = enrolParticipant(undefined, anEnrolment({ keys: [anotherKey('key-1'), anotherKey('key-2')] }), AT);
    const keys = next.keys.map((key) => (key.kid === 'key-2' ? { ...key, notAfter: END } : key));
    const passed = passTime({ ...next, certificates: [], keys }, before(5))!;
    expect(passed.next.keys.map(({ kid, announcedDays }) => [kid, announcedDays])).toEqual([
      ['key-1', undefined],
      ['key-2', 7],
    ]);
    expect(passed.notices).toMatchObject([{ kind: 'key.expiring', body: { kid: 'key-2', days: 7 } }]);
  });
});
