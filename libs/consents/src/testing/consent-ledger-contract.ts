import { expect, it } from 'vitest';
import { FULL_BUDGET } from '../call-budget.js';
import type { ConsentHappened } from '../change-consent.js';
import type { Consent } from '../consent.js';
import type { ConsentLedger, ConsentVersion } from '../consent-store.js';
import { aConsent, consentAt } from './consents.js';

const second = aConsent({ id: { shard: 5, uuid: '01939a6e-7a00-7abc-8def-00000000000b' }, state: 'REQUESTED', version: 1 });
const third = aConsent({
  id: { shard: 5, uuid: '01939a6e-7a00-7abc-8def-00000000000c' },
  terms: { scope: { threshold: { atLeast: 650 } }, fetch: { type: 'ONETIME' }, purpose: 'COLLECTION' },
});
const first = aConsent();
const unknown = { shard: 6, uuid: first.id.uuid } as const;
let lastSeq = 0n;

const version = (consent: Consent, happened: ConsentHappened): ConsentVersion => ({
  consent,
  happened,
  content: { version: consent.version },
  salt: 'salt',
  via: 'wallet',
  position: { shard: consent.id.shard, seq: ++lastSeq, at: consentAt },
});

/** What every consent ledger promises. `run` gives a ledger and saves what was done with it; the subject and the link of `aConsent` exist. */
export function consentLedgerContract(run: <T>(work: (ledger: ConsentLedger) => Promise<T>) => Promise<T>): void {
  const held = (...ids: Consent['id'][]) => run((ledger) => ledger.hold(ids));

  it('gives back what was saved, in the order asked, at a time that is not before it', async () => {
    await run((ledger) => ledger.saveVersions([first, second, third].map((one) => version(one, 'consent.requested'))));
    const { at, consents } = await held(third.id, unknown, first.id, second.id, third.id);
    expect(consents.map((one) => one?.consent)).toEqual(
      [third, undefined, first, second, third].map((one) => one && { ...one, period: undefined }),
    );
    expect(consents[0]?.budget).toEqual(FULL_BUDGET);
    expect(at.getTime()).toBeGreaterThanOrEqual(consentAt.getTime());
  });

  it('keeps a version’s time ahead of every clock', async () => {
    const changedAt = new Date('2099-01-01T00:00:00.000Z');
    await run((ledger) => ledger.saveVersions([version({ ...second, state: 'ACTIVE', version: 2, changedAt }, 'consent.granted')]));
    expect((await held(second.id)).at).toEqual(changedAt);
    expect((await held(second.id)).consents[0]?.consent).toMatchObject({ state: 'ACTIVE', version: 2, changedAt });
  });

  it('changes state and terms', async () => {
    const narrowed = { ...first, state: 'PAUSED' as const, version: 3, terms: { ...first.terms, scope: { threshold: { atLeast: 700 } } } };
    await run((ledger) => ledger.saveVersions([version(narrowed, 'consent.paused')]));
    expect((await held(first.id)).consents[0]?.consent).toEqual({ ...narrowed, period: undefined });
  });

  it('gives a key to the first that asks', async () => {
    const claim = { participant: 'bank-a', key: 'key-00000001', digest: 'D', consent: first.id };
    expect(await run((ledger) => ledger.claimKey(claim))).toBeUndefined();
    expect(await run((ledger) => ledger.claimKey({ ...claim, digest: 'other', consent: unknown }))).toEqual(claim);
    expect(await run((ledger) => ledger.claimKey({ ...claim, participant: 'bank-b' }))).toBeUndefined();
  });

  it('lists those of a link that something can still become of', async () => {
    await run((ledger) => ledger.saveVersions([version({ ...third, state: 'CONSUMED', version: 3 }, 'consent.consumed')]));
    expect(await run((ledger) => ledger.liveOfLink(first.link))).toEqual([first.id, second.id]);
    expect(await run((ledger) => ledger.liveOfLink(first.id))).toEqual([]);
  });
}
