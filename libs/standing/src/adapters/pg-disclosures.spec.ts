import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RATING_THRESHOLDS } from '#contract';
import { canonicalBytes, type JsonObject } from '#evidence';
import type { Refusal } from '#kernel';
import { Database } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { sha256, violation } from '#records/testing/records';
import { claimsOf, DisclosureWorld, holderSigner } from '../testing/disclosure-world.js';

describe('ratings read under consents, in PostgreSQL', () => {
  let fresh: FreshDatabase;
  let world: DisclosureWorld;
  beforeAll(async () => {
    fresh = await freshDatabase();
    world = new DisclosureWorld(fresh.database);
  });
  afterAll(() => fresh.close());

  const credentialOf: DisclosureWorld['credential'] = (...read) => world.credential(...read);

  it('disclose what the consent names and nothing else', async () => {
    const of = await world.subject(820);
    await world.report(of.ref, { kind: 'violation', violation: violation('MINOR', new Date()) });
    const all = await claimsOf(
      (await credentialOf(await world.granted(of, { claims: ['score', 'band', 'factors', 'restrictions', 'asOf'] }))).credential,
    );
    expect(all).toMatchObject({ vct: 'urn:tallystick:credential:rating:1', disputed: false, scale: { min: 350, max: 950 } });
    expect((all['restrictions'] as JsonObject[])[0]).toMatchObject({ reason: { code: 'VIOLATION_REPORTED' }, services: expect.any(Array) });
    const band = await claimsOf(
      (await credentialOf(await world.granted(of, { claims: ['band', 'restrictions'] }), { claims: ['band'] })).credential,
    );
    const told = Object.keys(band).filter((name) => ['score', 'band', 'factors', 'restrictions', 'asOf'].includes(name));
    expect([told, band['band']]).toEqual([['band'], all['band']]);
  });

  it('leave one use, one fact whose commitment opens, and one row each', async () => {
    const of = await world.subject(700);
    const consent = await world.granted(of);
    const { credential } = await credentialOf(consent);
    const [row] = await fresh.database.query<{
      content: JsonObject;
      salt: string;
      n: number;
      at: Date;
      standing_version: bigint;
      body: string;
    }>(`SELECT d.*, f.body FROM disclosures d JOIN facts f ON f.shard = d.shard AND f.seq = d.fact_seq WHERE d.consent = $1`, [
      consent.id.uuid,
    ]);
    const body = JSON.parse(row!.body) as JsonObject;
    const opened = {
      consent: body['consent'],
      n: 1,
      at: row!.at.toISOString(),
      standing: row!.standing_version.toString(),
      ...row!.content,
    };
    expect(Buffer.from(sha256(Buffer.concat([Buffer.from(row!.salt, 'base64url'), canonicalBytes(opened)]))).toString('base64url')).toBe(
      body['commitment'],
    );
    expect(row!.content).toMatchObject({ claims: { score: (await claimsOf(credential))['score'] } });
    expect(Object.keys(body).sort()).toEqual(['commitment', 'consent', 'form', 'n', 'purpose']);
    expect(await world.count('consent_uses', `consent = '${consent.id.uuid}'`)).toBe(1);
  });

  it('are refused outside the consent, alone and in company', async () => {
    const [mine, other] = [await world.subject(700), await world.subject(700)];
    const [consent, threshold] = [await world.granted(mine), await world.granted(mine, { threshold: { atLeast: 600 } })];
    const foreign = await world.subjects.link(other.subject, { participant: 'bank-b' });
    const nobody = { shard: consent.id.shard, uuid: '01939a6e-7a00-7abc-8def-ffffffffffff' };
    const codes = await Promise.all([
      world.outcome(consent),
      world.outcome(consent, { claims: ['factors'] }),
      world.outcome(consent, { purpose: 'COLLECTION' }),
      world.outcome(consent, { fetchType: 'ONETIME' }),
      world.outcome(consent, { dataLifeSeconds: 3_601 }),
      world.outcome(threshold, { claims: ['band'] }),
      world.outcome(consent, { ref: foreign.link.ref }),
      world.outcome(consent, { ref: nobody }),
      world.outcome(consent, { ref: other.ref }),
      world.outcome(consent, { consent: nobody }),
      world.outcome(consent, { participant: 'bank-b' }),
      world.outcome(threshold),
    ]);
    const required = Array.from({ length: 5 }, () => 'consent.required');
    const misfits = ['consent.claims', 'consent.purpose', 'consent.fetch_type', 'consent.data_life', 'consent.claims'];
    expect(codes).toEqual(['credential', ...misfits, ...required, 'Y']);
  });

  it('give a bank whose reply was lost the very same content, and count nothing', async () => {
    const consent = await world.granted(await world.subject(700), { fetch: { type: 'ONETIME' } });
    expect(await world.outcome(consent)).toBe('idempotency.key_missing');
    const read = { key: 'one-read-only' };
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => credentialOf(consent, read)));
    const again = await credentialOf(consent, read);
    expect([first!.repeated, ...others.map(({ repeated }) => repeated), again.repeated].filter((repeated) => !repeated)).toHaveLength(1);
    expect(new Set([first!, ...others, again].map(({ credential }) => credential)).size).toBe(1);
    expect(await world.outcome(consent, { key: 'another-key' })).toBe('consent.required');
    expect(await world.outcome(consent, { ...read, claims: ['band'] })).toBe('idempotency.key_reused');
    expect(await world.count('facts', `kind = 'rating.disclosed' AND subject = '${consent.subject.uuid}'`)).toBe(1);
    expect(await world.count('consents', `id = '${consent.id.uuid}' AND state = 'CONSUMED' AND uses = 1`)).toBe(1);
  });

  it('say that the outcome is unknown where the reply of the commit was lost, and tell it on repetition', async () => {
    const consent = await world.granted(await world.subject(700), { fetch: { type: 'ONETIME' } });
    let lost = 0;
    const lossy = await Database.open(fresh.url, 2, (point) => {
      if (point === 'commit.after' && lost++ === 0) throw new Error('connection reset');
    });
    const shaky = new DisclosureWorld(lossy);
    expect(await shaky.outcome(consent, { key: 'lost-reply' })).toBe('outcome.unknown');
    expect(await shaky.read(consent, { key: 'lost-reply' })).toMatchObject({ repeated: true });
    expect(await world.count('disclosures', `consent = '${consent.id.uuid}'`)).toBe(1);
    await lossy.close();
  });

  it('end with the acknowledgement of a revocation, on every process', async () => {
    const consent = await world.granted(await world.subject(700), { fetch: { type: 'PERIODIC', count: 1_000, every: 'DAY' } });
    const elsewhere = new DisclosureWorld(await Database.open(fresh.url, 4));
    const read = { key: 'kept-for-later' };
    await world.read(consent, read);
    let revoked = false;
    const readers = [world, elsewhere].map(async (process) => {
      const after: string[] = [];
      while (after.length < 5) {
        const wasRevoked = revoked;
        const outcome = await process.outcome(consent);
        if (wasRevoked) after.push(outcome);
      }
      return after;
    });
    await world.act(consent, { kind: 'REVOKE' });
    revoked = true;
    expect(new Set((await Promise.all(readers)).flat())).toEqual(new Set(['consent.required']));
    expect(await elsewhere.outcome(consent, read)).toBe('consent.required');
    const uses = await world.count('consent_uses', `consent = '${consent.id.uuid}'`);
    expect(await world.count('facts', `kind = 'rating.disclosed' AND subject = '${consent.subject.uuid}'`)).toBe(uses);
    await elsewhere.database.close();
  });

  it('never tell an attacker more of a score than one threshold', async () => {
    const of = await world.subject(760);
    const purposes = ['ACCOUNT_REVIEW', 'CREDIT_APPLICATION', 'FRAUD_PREVENTION', 'COLLECTION'] as const;
    const told = new Set<string>();
    const refused = new Set<string>();
    for (const [i, atLeast] of [...RATING_THRESHOLDS, ...RATING_THRESHOLDS].entries()) {
      const consent = await world.granted(of, { threshold: { atLeast }, purpose: purposes[i % purposes.length]!, dataLifeSeconds: 60 });
      for (const outcome of [await world.outcome(consent), await world.outcome(consent)])
        (outcome.length > 2 ? refused : told).add(`${atLeast} ${outcome}`);
      await world.act(consent, { kind: 'REVOKE' });
    }
    expect([told.size, refused.size]).toEqual([1, RATING_THRESHOLDS.length - 1]);
  });

  it('answer the same within 24 h, whatever becomes of the score, and anew afterwards', async () => {
    const of = await world.subject(820);
    const consent = await world.granted(of, { threshold: { atLeast: 650 }, dataLifeSeconds: 60 });
    expect(await world.outcome(consent)).toBe('Y');
    await world.reportedBy('bank-b', of, 350);
    expect([await world.outcome(consent), await world.outcome(await world.granted(of, { threshold: { atLeast: 700 } }))]).toEqual([
      'Y',
      'consent.threshold',
    ]);
    await world.aDayLater(of);
    expect(await world.outcome(consent)).toBe('N');
  });

  it('answer one threshold where two come at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const of = await world.subject(700);
      const consents = await Promise.all([550, 700].map((atLeast) => world.granted(of, { threshold: { atLeast: atLeast as 550 } })));
      const elsewhere = new DisclosureWorld(fresh.database);
      const outcomes = await Promise.all([world.outcome(consents[0]!), elsewhere.outcome(consents[1]!)]);
      expect(outcomes.filter((outcome) => outcome === 'consent.threshold')).toHaveLength(1);
    }
  });

  it('cannot say anything of a subject that no bank reports on', async () => {
    const of = await world.subject();
    const [low, high] = [
      await world.granted(of, { threshold: { atLeast: 550 } }),
      await world.granted(of, { threshold: { atLeast: 700 } }),
    ];
    // It says nothing of a score, so it binds to nothing and holds nothing up.
    expect([await world.outcome(low), await world.outcome(high)]).toEqual(['NA', 'NA']);
    await world.reportedBy('bank-b', of, 360);
    expect([await world.outcome(high), await world.outcome(low)]).toEqual(['N', 'consent.threshold']);
  });

  it('give every credential a place of its own in the lists', async () => {
    const consent = await world.granted(await world.subject(700));
    const credentials = await Promise.all(Array.from({ length: 200 }, () => credentialOf(consent)));
    const places = await Promise.all(credentials.map(async ({ credential }) => JSON.stringify((await claimsOf(credential))['status'])));
    expect(new Set(places).size).toBe(200);
    const codes = await Promise.all(
      [
        [0, 99],
        [7, 0],
        [0.5, 0],
      ].map(([shard, list]) => world.statuses.token(shard!, list!, 'bank-a').catch((error: Refusal) => error.code)),
    );
    expect(codes).toEqual(Array.from({ length: 3 }, () => 'status_list.unknown'));
  });

  it('give two banks nothing to join their files by', async () => {
    const of = await world.subject(820);
    await world.report(of.ref, { kind: 'violation', violation: violation('MINOR', new Date()) });
    const { link } = await world.subjects.link(of.subject, { participant: 'bank-b' });
    const claims = ['score', 'band', 'factors', 'restrictions', 'asOf'] as const;
    const ours = await world.granted(of, { claims: [...claims] });
    const theirs = await world.granted({ subject: of.subject, ref: link.ref }, { claims: [...claims] }, 'bank-b');
    // One after the other: in one batch they are of one moment, as thousands of others are.
    const files = [(await credentialOf(ours)).credential, (await credentialOf(theirs)).credential];
    const [a, b] = await Promise.all(files.map(async (file) => leavesOf(await claimsOf(file))));
    // What everybody has: who issues, what it is, the lists of a whole shard, words, days, and what was allowed to be told.
    const isShared = (leaf: string) => /^(https:|urn:)/.test(leaf) || !/[A-Za-z0-9_-]{16}|T[0-9]{2}:/.test(leaf.replaceAll(' ', '.'));
    const common = a!.filter((leaf) => b!.includes(leaf) && leaf !== holderSigner.publicJwk.x);
    expect(common.filter((leaf) => !isShared(leaf) && !/^[A-Z_]+$/.test(leaf))).toEqual([]);
    expect(files[0]!.split('~').filter((part) => files[1]!.includes(part) && part !== '')).toEqual([]);
  });

  it('are counted by the budget of subject, recipient and purpose, whatever the consent', async () => {
    const tight = new DisclosureWorld(fresh.database, { callsPerDayMax: 3 });
    const of = await world.subject(700);
    const consents = [await world.granted(of), await world.granted(of)];
    const outcomes = await Promise.all([0, 1, 0, 1, 0].map((i) => tight.outcome(consents[i]!)));
    expect(outcomes.filter((outcome) => outcome === 'credential')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'consent.budget_exhausted')).toHaveLength(2);
  });
});

function leavesOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leavesOf);
  return [String(value)];
}
