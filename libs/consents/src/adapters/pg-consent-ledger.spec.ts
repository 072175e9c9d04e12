import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { consentLedgerContract } from '../testing/consent-ledger-contract.js';
import { aConsent, consentAt } from '../testing/consents.js';
import { registerSubject } from '../subject.js';
import { countedRow, useRow } from './consent-rows.js';
import { PgConsentBook } from './pg-consent-book.js';
import { PgConsentLedger } from './pg-consent-ledger.js';
import { PgConsentReader } from './pg-consent-reader.js';

describe('the consent ledger in PostgreSQL', () => {
  let fresh: FreshDatabase;
  const { id, subject, link } = aConsent();
  const page = { after: undefined, countMax: 2 };

  beforeAll(async () => {
    fresh = await freshDatabase();
    await fresh.database.transaction(async (tx) => {
      const book = new PgConsentBook(tx);
      await book.addSubject({ ...registerSubject(subject.uuid, 'INDIVIDUAL', consentAt).subject, id: subject });
      await book.addLink({ ref: link, subject, participant: 'bank-a', createdAt: consentAt });
    });
  });
  afterAll(() => fresh.close());

  consentLedgerContract((work) => fresh.database.transaction((tx) => work(new PgConsentLedger(tx))));

  it('counts reads by consent, and by subject, recipient and purpose, as they are saved with what was disclosed', async () => {
    const consent = aConsent();
    const used = { ...consent, uses: 1, period: { start: '2026-11-22', uses: 1 } };
    const budget = { day: '2026-11-22', dayCalls: 1, month: '2026-11-01', monthCalls: 1 };
    const use = { consent, n: 1, scope: { claims: ['score' as const] }, dataLifeSeconds: 60, at: consentAt };
    const uses = [useRow({ use, position: { shard: 5, seq: 1_000n, at: consentAt } })];
    const saved = JSON.stringify({ uses, counted: [countedRow({ consent: used, budget })] });
    await fresh.database.query('SELECT FROM save_consent_uses($1::jsonb)', [saved]);
    // Of the same purpose, and of another.
    const [second, third] = ['b', 'c'].map((end) => ({ shard: 5, uuid: `01939a6e-7a00-7abc-8def-00000000000${end}` }) as const);
    const { consents } = await fresh.database.transaction((tx) => new PgConsentLedger(tx).hold([id, second!, third!]));
    expect(consents.map((one) => [one!.consent.uses, one!.consent.period?.uses, one!.budget.dayCalls])).toEqual([
      [1, 1, 1],
      [0, undefined, 1],
      [0, undefined, 0],
    ]);
  });

  it('lists consents in pages, the newest first, to their recipient and their subject', async () => {
    const reader = new PgConsentReader(fresh.database);
    const newest = await reader.ofParticipant('bank-a', undefined, page);
    const rest = await reader.ofParticipant('bank-a', undefined, { ...page, after: newest[1]!.id.uuid });
    expect([...newest, ...rest].map(({ state }) => state)).toEqual(['CONSUMED', 'ACTIVE', 'PAUSED']);
    expect(await reader.ofSubject(subject, { after: undefined, countMax: 9 })).toEqual([...newest, ...rest]);
    expect(await reader.ofParticipant('bank-a', link, { after: undefined, countMax: 9 })).toHaveLength(3);
    expect([await reader.ofParticipant('bank-b', undefined, page), await reader.ofParticipant('bank-a', id, page)]).toEqual([[], []]);
    expect(await reader.ofSubject({ shard: 6, uuid: subject.uuid }, page)).toBeUndefined();
  });

  it('keeps every version, and every read for who saw what', async () => {
    const reader = new PgConsentReader(fresh.database);
    expect((await reader.versions(id, { after: undefined, countMax: 9 })).map(({ version, happened }) => [version, happened])).toEqual([
      [2, 'consent.requested'],
      [3, 'consent.paused'],
    ]);
    const uses = await reader.usesOf(id, { after: undefined, countMax: 9 });
    expect(uses).toMatchObject([{ n: 1, version: 2, scope: { claims: ['score'] }, keepUntil: new Date(consentAt.getTime() + 60_000) }]);
    expect(await reader.usesOfSubject(subject, { after: undefined, countMax: 9 })).toEqual(uses);
    expect(await reader.usesOfSubject(subject, { after: uses[0]!.factSeq, countMax: 9 })).toEqual([]);
    expect(await reader.usesOf(id, { after: 1, countMax: 9 })).toEqual([]);
  });

  it('lets no application change or remove what was allowed, read or said', async () => {
    for (const sql of [
      `UPDATE consents SET participant_id = 'bank-b'`,
      `UPDATE consents SET purpose = 'COLLECTION'`,
      'DELETE FROM consents',
      `UPDATE consent_versions SET content = '{}'`,
      'DELETE FROM consent_uses',
      'UPDATE consent_uses SET n = 9',
      'DELETE FROM consent_budgets',
      `UPDATE consent_requests SET digest = ''`,
    ]) {
      await expect(fresh.database.query(sql), sql).rejects.toThrow('permission denied');
    }
  });
});
