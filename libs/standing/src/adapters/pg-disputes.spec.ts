import { afterAll, describe, expect, it } from 'vitest';
import { formatFactId, type ShardedId } from '#kernel';
import { appendFacts } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { performance } from '#records/testing/records';
import { Disputes } from '../dispute/disputes.js';
import type { Exchange } from '../store.js';
import { disputesContract } from '../testing/disputes-contract.js';
import { ExchangeWorld, startAt } from '../testing/exchange-world.js';
import { keepDisputes } from './keep-disputes.js';
import { nodeClerk } from './node-notary.js';
import { PgDisputeReader } from './pg-dispute-reader.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgStandingReader } from './pg-standing-reader.js';

let policies = 100n;

function groundOn({ database }: FreshDatabase) {
  return {
    exchange: new PgExchange(database),
    queue: new PgEventQueue(database),
    reader: new PgStandingReader(database),
    clocks: new PgDisputeReader(database),
    factKinds: async () => (await database.query<{ kind: string }>('SELECT kind FROM facts ORDER BY shard, seq')).map(({ kind }) => kind),
    setPolicy: (policy: Parameters<typeof keepDisputes>[2]) =>
      database.transaction(async (tx) => {
        await tx.query('SELECT shard FROM shard_heads ORDER BY shard FOR NO KEY UPDATE');
        await keepDisputes(tx, ++policies, policy);
        await tx.query('UPDATE shard_heads SET policy_version = $1', [policies]);
      }),
    readRating: (subject: ShardedId, ref: ShardedId, bank: string) =>
      database.transaction(async (tx) => {
        const body = { purpose: 'test' };
        const [place] = await appendFacts(tx, [
          { shard: subject.shard, kind: 'rating.disclosed', subject: subject.uuid, participant: bank, body },
        ]);
        const consent = nodeClerk.uuid(startAt);
        await tx.query(CONSENT, [subject.shard, consent, subject.uuid, ref.uuid, bank]);
        await tx.query(
          `INSERT INTO consent_uses (shard, consent, n, subject, participant_id, purpose, version, claims, at, keep_until, fact_seq)
           VALUES ($1, $2, 1, $3, $4, 'CREDIT_DECISION', 1, '{score}', $5, $5, $6)`,
          [subject.shard, consent, subject.uuid, bank, startAt, place!.seq],
        );
      }),
  };
}

const CONSENT = `INSERT INTO consents (shard, id, subject, link, participant_id, purpose, claims, fetch_type, data_life_seconds, not_before, expires_at, state,
    version, changed_by, requested_at, changed_at)
  VALUES ($1, $2, $3, $4, $5, 'CREDIT_DECISION', '{score}', 'ONETIME', 60, now(), now(), 'CONSUMED', 1, 'test', now(), now())`;

const bad = { kind: 'performance' as const, performance: performance('97', '900.00', 'L6543') };

describe('disputes in PostgreSQL', () => {
  let fresh: FreshDatabase;
  afterAll(() => fresh.close());

  disputesContract(async () => {
    fresh = await freshDatabase();
    return groundOn(fresh);
  });

  it('leaves no version, fact, answer or notice out', async () => {
    const [gaps] = await fresh.database.query<Record<string, bigint>>(
      `SELECT (SELECT count(*) FROM standings s WHERE version <>
                (SELECT count(*) FROM standing_versions v WHERE v.shard = s.shard AND v.subject = s.subject)) AS versions,
              (SELECT count(*) FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)) AS facts,
              (SELECT count(*) FROM disputes d WHERE NOT EXISTS
                (SELECT FROM facts f WHERE f.shard = d.shard AND f.seq = d.opened_seq AND f.kind = 'dispute.opened')) AS openings,
              (SELECT count(*) FROM disputes d WHERE state = 'CLOSED' AND NOT EXISTS
                (SELECT FROM facts f WHERE f.shard = d.shard AND f.seq = d.closed_seq AND f.kind = 'dispute.closed')) AS closings,
              (SELECT count(*) FROM dispute_notices n WHERE NOT EXISTS
                (SELECT FROM events e WHERE e.shard = n.participant_shard AND e.participant_id = n.participant_id AND e.id = n.event)) AS notices,
              (SELECT count(*) FROM standings s WHERE jsonb_array_length(disputed) <>
                (SELECT count(*) FROM disputes d JOIN records_in_force f USING (shard, subject, iss, root_jti)
                  WHERE d.shard = s.shard AND d.subject = s.subject AND d.state <> 'CLOSED')) AS flags`,
    );
    expect(gaps).toEqual({ versions: 0n, facts: 0n, openings: 0n, closings: 0n, notices: 0n, flags: 0n });
  });

  it('lets no application change what was disputed or answered', async () => {
    for (const sql of [
      'UPDATE disputes SET jti = root_jti, code = code',
      'DELETE FROM disputes',
      'DELETE FROM dispute_answers',
      'DELETE FROM dispute_notices',
    ]) {
      await expect(fresh.database.query(sql)).rejects.toThrow('permission denied');
    }
  });

  it('keeps no name and no code in its facts', async () => {
    const rows = await fresh.database.query<{ body: string }>(`SELECT body::text FROM facts WHERE kind LIKE 'dispute.%'`);
    expect(rows.length).toBeGreaterThan(20);
    for (const { body } of rows) expect(body).not.toMatch(/INACCURATE|NOT_MINE|wallet/);
  });

  it('rings once although the worker dies before its commit, another runs beside it and its clock is set back', async () => {
    const ground = groundOn(fresh);
    const world = new ExchangeWorld(ground);
    const { id: subject } = await world.subjects.register({ caller: 'kill', key: 'key-dispute', kind: 'INDIVIDUAL' });
    const ref = await world.link(subject, 'bank-k');
    const record = world.record('bank-k', ref, 70_001, bad);
    await world.send(record);
    const flow = new Disputes(ground.exchange, nodeClerk, world.clock);
    const wish = {
      openedBy: 'SUBJECT' as const,
      caller: 'kill',
      key: 'dispute-k',
      code: 'PAID' as const,
      record: { iss: 'bank-k', jti: record.jti },
    };
    const { dispute } = await flow.open(subject, wish);
    world.clock.set(new Date(dispute.dueAt.getTime() + 1));
    const dying: Exchange = {
      due: (at, countMax) => ground.exchange.due(at, countMax),
      transaction: (work) =>
        ground.exchange.transaction(async (books) => {
          await work(books);
          throw new Error('killed before the commit');
        }),
    };
    const kinds = async () =>
      (
        await fresh.database.query<{ kind: string }>(
          `SELECT kind FROM facts WHERE subject = $1 AND kind ~ '^(dispute|record.removed)' ORDER BY seq`,
          [subject.uuid],
        )
      ).map(({ kind }) => kind);
    await expect(new Disputes(dying, nodeClerk, world.clock).ring(ground.clocks)).rejects.toThrow('killed');
    expect(await kinds()).toEqual(['dispute.opened']);
    const other = new Disputes(ground.exchange, nodeClerk, world.clock);
    const ringAll = async (one: Disputes) => {
      while ((await one.ring(ground.clocks)) > 0);
    };
    await Promise.all([ringAll(flow), ringAll(other)]);
    const rung = ['dispute.opened', 'dispute.notice_overdue', 'dispute.reminded', 'dispute.closed', 'record.removed'];
    expect(await kinds()).toEqual(rung);
    world.clock.set(new Date(startAt.getTime() - 86_400_000));
    await Promise.all([ringAll(flow), ringAll(other)]);
    expect(await kinds()).toEqual(rung);
    expect((await world.standing(subject)).score.disputed).toBeUndefined();
  });

  it('believes PostgreSQL where the clock of a process is behind', async () => {
    const ground = groundOn(fresh);
    const [row] = await fresh.database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const world = new ExchangeWorld(ground);
    world.clock.set(new Date(row!.now.getTime() - 31 * 86_400_000));
    const { id: subject } = await world.subjects.register({ caller: 'late', key: 'key-dispute', kind: 'INDIVIDUAL' });
    const ref = await world.link(subject, 'bank-l');
    const record = world.record('bank-l', ref, 80_001, bad);
    await world.send(record);
    const flow = new Disputes(ground.exchange, nodeClerk, world.clock);
    const { dispute } = await flow.open(subject, {
      openedBy: 'SUBJECT',
      caller: 'late',
      key: 'dispute-l',
      code: 'PAID',
      record: { iss: 'bank-l', jti: record.jti },
    });
    while ((await flow.ring(ground.clocks)) > 0);
    const file = await ground.clocks.find({ shard: subject.shard, uuid: dispute.id });
    expect(file?.dispute).toMatchObject({ state: 'CLOSED', outcome: 'SILENT' });
    expect(formatFactId(subject.shard, file!.dispute.closedSeq!)).toMatch(/^fct_/);
  });

  it('a correction and an answer at the same moment end it once', async () => {
    const ground = groundOn(fresh);
    const world = new ExchangeWorld(ground);
    const flow = new Disputes(ground.exchange, nodeClerk, world.clock);
    for (let i = 0; i < 8; i++) {
      const { id: subject } = await world.subjects.register({ caller: 'race', key: `key-race-${i}`, kind: 'INDIVIDUAL' });
      const ref = await world.link(subject, 'bank-r');
      const record = world.record('bank-r', ref, 90_001 + 2 * i, bad);
      await world.send(record);
      const { dispute } = await flow.open(subject, {
        openedBy: 'SUBJECT',
        caller: 'race',
        key: `dispute-${i}`,
        code: 'PAID',
        record: { iss: 'bank-r', jti: record.jti },
      });
      const id = { shard: subject.shard, uuid: dispute.id };
      const withdrawal = world.record('bank-r', ref, 90_002 + 2 * i, { kind: 'withdrawal', withdrawal: { replaces: record.jti } });
      const evidence = { participant: 'bank-r', body: new Uint8Array() };
      const [, answered] = await Promise.all([
        world.outcome(withdrawal),
        flow.answer('bank-r', id, { answer: 'VERIFIED', evidenceDigest: 'e'.repeat(64) }, evidence).catch((error: unknown) => error),
      ]);
      const file = (await ground.clocks.find(id))!;
      expect(file.dispute.state).toBe('CLOSED');
      expect(file.dispute.outcome).toBe(answered instanceof Error ? 'WITHDRAWN' : 'VERIFIED');
      expect(file.notices.filter(({ kind }) => kind === 'dispute.closed')).toHaveLength(1);
      // Either way the withdrawal was accepted: the record is gone, and nothing is disputed.
      expect((await world.standing(subject)).score.disputed).toBeUndefined();
    }
  });
});
