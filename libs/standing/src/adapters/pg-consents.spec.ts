import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Consent, LocalPeriods } from '#consents';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { encodeBase64Url, verifyJws } from '#evidence';
import { formatId, ManualClock, type ShardedId } from '#kernel';
import { Database } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { consentArtefact } from '../consent/consent-artefact.js';
import { Consents } from '../consent/consents.js';
import { showConsent, showVersions } from '../consent/show-consent.js';
import { commitToJson } from '../notary.js';
import type { Books, Exchange } from '../store.js';
import { consentBody, ConsentWorld, refusalCode } from '../testing/consent-world.js';
import { claimsOf, receiptSigner } from '../testing/exchange-world.js';
import { createNotary, nodeClerk } from './node-notary.js';

const ALL = { after: undefined, countMax: 99 };
const notary = createNotary('https://gateway.test', () => receiptSigner);
const key = { kid: receiptSigner.kid, alg: 'EdDSA', jwk: receiptSigner.publicJwk, state: 'ACTIVE' } as const;

describe('consents in PostgreSQL', () => {
  let fresh: FreshDatabase;
  let world: ConsentWorld;
  let reader: PgConsentReader;
  let owner: pg.Client;

  beforeAll(async () => {
    fresh = await freshDatabase();
    world = new ConsentWorld(fresh.database);
    reader = new PgConsentReader(fresh.database);
    owner = new pg.Client({ connectionString: fresh.url });
    await owner.connect();
  });
  afterAll(async () => {
    await owner?.end();
    await fresh?.close();
  });

  const by = (subject: ShardedId) => ({ subject, via: 'wallet' });
  const kindsOf = async ({ uuid }: ShardedId): Promise<string[]> =>
    (
      await fresh.database.query<{ kind: string }>(`SELECT kind FROM facts WHERE subject = $1 AND kind LIKE 'consent.%' ORDER BY seq`, [
        uuid,
      ])
    ).map(({ kind }) => kind);
  const toldTo = async (participant: string, ref: ShardedId) =>
    (
      await fresh.database.query<{ kind: string; body: Record<string, unknown> }>(
        `SELECT kind, body FROM events WHERE participant_id = $1 AND subject_ref = $2 AND kind LIKE 'consent.%' ORDER BY origin_seq`,
        [participant, ref.uuid],
      )
    ).map(({ kind, body }) => [kind, body['version'], body['state']]);
  const stateOf = async (id: ShardedId) => (await reader.find(id))?.state;
  const overdue = (id: ShardedId) => owner.query(`UPDATE consents SET expires_at = now() - interval '1 second' WHERE id = $1`, [id.uuid]);

  it('go from request to end with one fact, one event and one version each, whatever is repeated', async () => {
    const subject = await world.subject();
    const link = await world.link(subject, 'bank-a');
    const { consent } = await world.request('bank-a', link);
    const steps = [
      { kind: 'GRANT', smaller: { scope: { claims: ['score', 'asOf'] } } },
      { kind: 'PAUSE' },
      { kind: 'RESUME' },
      { kind: 'NARROW', smaller: { dataLifeSeconds: 60 } },
      { kind: 'REVOKE' },
    ] as const;
    for (const step of steps) {
      expect((await world.consents.act(consent.id, step, by(subject))).repeated).toBe(false);
      expect((await world.consents.act(consent.id, step, by(subject))).repeated).toBe(true);
    }
    const told = [
      ['consent.requested', 1, 'REQUESTED'],
      ['consent.granted', 2, 'ACTIVE'],
      ['consent.paused', 3, 'PAUSED'],
      ['consent.resumed', 4, 'ACTIVE'],
      ['consent.narrowed', 5, 'ACTIVE'],
      ['consent.revoked', 6, 'REVOKED'],
    ];
    expect(await toldTo('bank-a', link)).toEqual(told);
    expect(await kindsOf(subject)).toEqual(told.map(([kind]) => kind));
    expect((await reader.versions(consent.id, ALL)).map(({ version, via }) => [version, via])).toEqual([
      [1, 'gateway'],
      ...[2, 3, 4, 5, 6].map((version) => [version, 'wallet']),
    ]);
  });

  it('are requested once per key, also by many calls at once', async () => {
    const link = await world.link(await world.subject(), 'bank-a');
    const wish = { expiresAt: '2027-01-01T00:00:00.000Z' };
    const clock = new ManualClock(new Date('2026-11-22T08:00:00.000Z'));
    const consents = new Consents(world.exchange, nodeClerk, clock);
    const body = { ...consentBody(link), ...wish } as unknown as Parameters<Consents['request']>[2];
    const all = await Promise.all(Array.from({ length: 8 }, () => consents.request('bank-a', 'one-key-for-all', body)));
    expect(new Set(all.map(({ consent }) => consent.id.uuid)).size).toBe(1);
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await refusalCode(consents.request('bank-a', 'one-key-for-all', { ...body, dataLifeSeconds: 61 }))).toBe(
      'idempotency.key_reused',
    );
    expect(await toldTo('bank-a', link)).toHaveLength(1);
  });

  it('are asked for by a bank of a link of its own only, and known to nobody else', async () => {
    const { subject, link, id } = await world.granted();
    const stranger = await world.subject();
    expect(await refusalCode(world.request('bank-b', link))).toBe('link.unknown');
    expect(await refusalCode(world.request('bank-a', { ...link, uuid: subject.uuid }))).toBe('link.unknown');
    expect(await refusalCode(world.consents.act(id, { kind: 'REVOKE' }, by(stranger)))).toBe('consent.unknown');
    expect(await refusalCode(world.consents.act(id, { kind: 'WITHDRAW' }, { participant: 'bank-b' }))).toBe('consent.unknown');
    expect(await refusalCode(world.consents.act({ ...id, uuid: link.uuid }, { kind: 'REVOKE' }, by(subject)))).toBe('consent.unknown');
    expect(await stateOf(id)).toBe('ACTIVE');
  });

  it('are artefacts that a bank verifies offline, each version for good, and to which the facts are bound', async () => {
    const { subject, link, id } = await world.granted();
    const { consent } = await world.consents.act(id, { kind: 'PAUSE' }, by(subject));
    const versions = await reader.versions(id, ALL);
    const artefacts = showVersions(versions, notary).map(({ artefact }) => artefact as string);
    expect(showConsent(consent, new Date(), notary)['artefact']).toBe(artefacts[2]);
    for (const [i, artefact] of artefacts.entries()) {
      const { value } = await verifyJws(Buffer.from(artefact), 'consent+jwt', (kid) => (kid === key.kid ? key : undefined));
      const claims = value.payload as Record<string, unknown>;
      expect(claims).toMatchObject({
        iss: 'https://gateway.test',
        aud: 'bank-a',
        sub: formatId('lnk', link),
        jti: `${formatId('cns', id)}.${i + 1}`,
        exp: Math.floor(Date.parse((claims['consent'] as { expiresAt: string }).expiresAt) / 1_000),
        consent: {
          version: i + 1,
          state: ['REQUESTED', 'ACTIVE', 'PAUSED'][i],
          purpose: 'ACCOUNT_REVIEW',
          claims: ['score', 'band', 'asOf'],
        },
      });
      const [fact] = await fresh.database.query<{ body: string }>('SELECT body FROM facts WHERE shard = $1 AND seq = $2', [
        id.shard,
        versions[i]!.position.seq,
      ]);
      const salted = { ...nodeClerk, salt: () => new Uint8Array(Buffer.from(versions[i]!.salt, 'base64url')) };
      expect((JSON.parse(fact!.body) as { commitment: string }).commitment).toBe(commitToJson(salted, versions[i]!.content).commitment);
    }
    const [header, , signature] = artefacts[1]!.split('.');
    const forged = encodeBase64Url(Buffer.from(JSON.stringify({ ...claimsOf(artefacts[1]!), exp: 4_000_000_000 })));
    await expect(verifyJws(Buffer.from(`${header}.${forged}.${signature}`), 'consent+jwt', () => key)).rejects.toThrow('signature');
  });

  it('end with their link: each is revoked, and the bank hears of both', async () => {
    const { subject, link, id } = await world.granted();
    const waiting = (await world.request('bank-a', link)).consent.id;
    const late = (await world.request('bank-a', link)).consent.id;
    await overdue(late);
    await world.subjects.endLink(subject, link);
    await world.subjects.endLink(subject, link);
    expect(await Promise.all([id, waiting, late].map(stateOf))).toEqual(['REVOKED', 'REVOKED', 'EXPIRED']);
    expect((await toldTo('bank-a', link)).filter(([, , state]) => state !== 'REQUESTED' && state !== 'ACTIVE')).toEqual([
      ['consent.revoked', 3, 'REVOKED'],
      ['consent.revoked', 2, 'REVOKED'],
      ['consent.expired', 2, 'EXPIRED'],
    ]);
    expect((await reader.find(id))?.by).toBe('PLATFORM');
    expect(await refusalCode(world.request('bank-a', link))).toBe('link.unknown');
  });

  it('are never left behind by a link that ends while they are asked for', async () => {
    for (let round = 0; round < 8; round++) {
      const subject = await world.subject();
      const link = await world.link(subject, 'bank-a');
      const asked = Promise.allSettled([1, 2, 3].map(() => world.request('bank-a', link)));
      await world.subjects.endLink(subject, link);
      await asked;
      const left = await reader.ofSubject(subject, { after: undefined, countMax: 9 });
      expect(left?.filter(({ state }) => state !== 'REVOKED')).toEqual([]);
    }
  });

  it('have expired before any sweep says so; two sweeps write it once', async () => {
    const { subject, link, id, wish } = await world.granted();
    expect(await world.read(wish)).toBe(1);
    await overdue(id);
    expect(await world.read(wish)).toBe('consent.required');
    expect(await refusalCode(world.consents.act(id, { kind: 'REVOKE' }, by(subject)))).toBe('consent.state');
    expect(showConsent((await reader.find(id)) as Consent, new Date(), notary)).toMatchObject({ state: 'EXPIRED', version: 2 });
    await Promise.all([world.consents.expire(reader), world.consents.expire(reader)]);
    expect(await stateOf(id)).toBe('EXPIRED');
    expect(await kindsOf(subject)).toEqual(['consent.requested', 'consent.granted', 'consent.expired']);
    expect((await toldTo('bank-a', link)).at(-1)).toEqual(['consent.expired', 3, 'EXPIRED']);
    expect(await world.consents.expire(reader)).toBe(0);
  });

  it('lose nothing and do nothing twice where a process dies before its commit, or after', async () => {
    const { subject, id } = await world.granted();
    const dying = (when: 'before' | 'after') => async (work: (books: Books) => Promise<unknown>) => {
      await world.exchange.transaction(async (books) => {
        await work(books);
        if (when === 'before') throw new Error('killed');
      });
      throw new Error('killed');
    };
    const clock = new ManualClock(new Date());
    const revoke = (transaction: Exchange['transaction']) =>
      new Consents({ transaction } as Exchange, nodeClerk, clock).act(id, { kind: 'REVOKE' }, by(subject));
    await expect(revoke(dying('before') as Exchange['transaction'])).rejects.toThrow('killed');
    expect([await stateOf(id), await kindsOf(subject)]).toEqual(['ACTIVE', ['consent.requested', 'consent.granted']]);
    await expect(revoke(dying('after') as Exchange['transaction'])).rejects.toThrow('killed');
    expect(await revoke((work) => world.exchange.transaction(work))).toMatchObject({
      repeated: true,
      consent: { state: 'REVOKED', version: 3 },
    });
    expect(await kindsOf(subject)).toEqual(['consent.requested', 'consent.granted', 'consent.revoked']);
  });

  it('heed no clock of a process, and none that is set back', async () => {
    const { id, wish } = await world.granted('bank-a', { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    const past = new Consents(world.exchange, nodeClerk, new ManualClock(new Date(0)));
    expect(await past.expire(reader)).toBe(0);
    expect(await world.read(wish)).toBe(1);
    // The shard was ahead once; its time does not run backwards, so what had ended by then stays ended.
    await owner.query(`UPDATE shard_heads SET last_at = date_trunc('milliseconds', now()) + interval '2 hours' WHERE shard = $1`, [
      id.shard,
    ]);
    expect(await world.read(wish)).toBe('consent.required');
    await owner.query(`UPDATE shard_heads SET last_at = date_trunc('milliseconds', now()) WHERE shard = $1`, [id.shard]);
  });

  it('revoked, are read by no process any more from the acknowledgement on', async () => {
    const doors = await Promise.all([1, 2, 3].map(() => Database.open(fresh.url, 4)));
    for (let round = 0; round < 5; round++) {
      const { subject, id, wish } = await world.granted();
      let revoked = false;
      const late: (number | string)[] = [];
      const reading = doors.flatMap((door) =>
        Array.from({ length: 3 }, async () => {
          for (;;) {
            const asked = revoked;
            const told = await world.read(wish, undefined, door);
            if (asked) late.push(told);
            if (told === 'consent.required') return;
          }
        }),
      );
      while ((await reader.find(id))!.uses < 5);
      await world.consents.act(id, { kind: 'REVOKE' }, by(subject));
      revoked = true;
      late.push(await world.read(wish));
      await Promise.all(reading);
      expect(new Set(late)).toEqual(new Set(['consent.required']));
      const uses = await reader.usesOf(id, { after: undefined, countMax: 10_000 });
      const end = (await reader.versions(id, ALL)).at(-1)!.position.seq;
      expect(uses.map(({ n }) => n)).toEqual(uses.map((_, i) => i + 1));
      expect(uses.filter(({ factSeq }) => factSeq > end)).toEqual([]);
      expect((await reader.find(id))!.uses).toBe(uses.length);
    }
    await Promise.all(doors.map((door) => door.close()));
  });

  it('are read no more often than they and the operator allow, however many ask at once', async () => {
    const often = await world.granted('bank-a', { fetch: { type: 'PERIODIC', count: 5, every: 'MONTH' } });
    const once = await world.granted('bank-a', { fetch: { type: 'ONETIME' }, purpose: 'COLLECTION' });
    const both = await world.granted('bank-b');
    const { consent: other } = await world.request('bank-b', both.link);
    await world.consents.act(other.id, { kind: 'GRANT', smaller: {} }, by(both.subject));
    const terms = { callsPerDayMax: 7, callsPerMonthMax: 100, calendar: new LocalPeriods('UTC') };
    const tally = async (wishes: readonly Parameters<ConsentWorld['read']>[0][]) => {
      const told = await Promise.all(wishes.map((wish) => world.read(wish, terms)));
      return [told.filter((one) => typeof one === 'number').length, [...new Set(told.filter((one) => typeof one === 'string'))]];
    };
    expect(await tally(Array(12).fill(often.wish))).toEqual([5, ['consent.frequency']]);
    expect(await tally(Array(6).fill(once.wish))).toEqual([1, ['consent.required']]);
    expect(await stateOf(once.id)).toBe('CONSUMED');
    // Counts are of reads alone: what changes a consent leaves them as they are, also where the last read did.
    await world.consents.act(often.id, { kind: 'PAUSE' }, by(often.subject));
    expect(await Promise.all([often.id, once.id].map(async (id) => (await reader.find(id))!.uses))).toEqual([5, 1]);
    const pair = [both.wish, { ...both.wish, consent: other.id }];
    expect(await tally([...Array(8).fill(pair[0]), ...Array(8).fill(pair[1])])).toEqual([7, ['consent.budget_exhausted']]);
  });

  it('tell two banks nothing by which they could join their files', async () => {
    const subject = await world.subject();
    const seen = await Promise.all(
      ['bank-a', 'bank-b'].map(async (bank) => {
        const link = await world.link(subject, bank);
        const { consent } = await world.request(bank, link);
        await world.consents.act(consent.id, { kind: 'GRANT', smaller: {} }, by(subject));
        await world.read({ participant: bank, consent: consent.id, ref: link });
        const events = await fresh.database.query<{ id: string; body: object }>('SELECT id, body FROM events WHERE subject_ref = $1', [
          link.uuid,
        ]);
        const kept = await reader.versions(consent.id, ALL);
        const artefacts = kept.map(({ content }) => claimsOf(consentArtefact(content as never, notary)));
        const uses = (await reader.usesOf(consent.id, { after: undefined, countMax: 9 })).map(({ n }) => n);
        return JSON.stringify([events, artefacts, uses, showConsent((await reader.find(consent.id))!, new Date(), notary)]);
      }),
    );
    // Words and moments are everybody's; what could name a subject is long and looks like chance.
    const names = seen.map((text) => new Set(text.match(/[A-Za-z0-9_-]{20,}/g)?.filter((word) => !/^\d{4}-\d\d-\d\dT/.test(word))));
    const inner = [subject.uuid, formatId('sub', subject)];
    expect(seen.flatMap((text) => inner.filter((name) => text.includes(name)))).toEqual([]);
    expect([...names[0]!].filter((name) => names[1]!.has(name) && !name.startsWith('eyJ'))).toEqual([]);
    expect(seen.join()).not.toMatch(/fct_/);
    expect(names[0]!.size).toBeGreaterThan(5);
  });

  it('leave no version, fact or count out', async () => {
    const [gaps] = await fresh.database.query(
      `SELECT (SELECT count(*) FROM consents c WHERE version <>
                (SELECT count(*) FROM consent_versions v WHERE v.shard = c.shard AND v.consent = c.id)) AS versions,
              (SELECT count(*) FROM consents c WHERE uses <>
                (SELECT count(*) FROM consent_uses u WHERE u.shard = c.shard AND u.consent = c.id)) AS uses,
              (SELECT count(*) FROM consent_uses u WHERE NOT EXISTS
                (SELECT FROM facts f WHERE f.shard = u.shard AND f.seq = u.fact_seq AND f.kind = 'rating.disclosed')) AS facts,
              (SELECT count(*) FROM consent_versions v WHERE NOT EXISTS
                (SELECT FROM facts f WHERE f.shard = v.shard AND f.seq = v.fact_seq AND f.kind = v.happened)) AS told`,
    );
    expect(gaps).toEqual({ versions: 0n, uses: 0n, facts: 0n, told: 0n });
  });
});
