import { afterAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { violation } from '#records/testing/records';
import { ExchangeWorld, startAt } from '../testing/exchange-world.js';
import { restrictionsContract } from '../testing/restrictions-contract.js';
import { ReviewDue } from '../review-due.js';
import type { Exchange } from '../store.js';
import type { TogetherExchange } from '../together/together-books.js';
import { nodeClerk } from './node-notary.js';
import { keepLadder } from './keep-ladder.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgRestrictionReader } from './pg-restriction-reader.js';
import { PgStandingReader } from './pg-standing-reader.js';
import { BUILT_IN_LADDER } from '../ladder.js';

function groundOn({ database }: FreshDatabase) {
  return {
    exchange: new PgExchange(database),
    queue: new PgEventQueue(database),
    reader: new PgStandingReader(database),
    lists: new PgRestrictionReader(database),
    factKinds: async () => (await database.query<{ kind: string }>('SELECT kind FROM facts ORDER BY shard, seq')).map(({ kind }) => kind),
  };
}

describe('restrictions in PostgreSQL', () => {
  let fresh: FreshDatabase;
  afterAll(() => fresh.close());

  restrictionsContract(async () => {
    fresh = await freshDatabase();
    return groundOn(fresh);
  });

  it('leaves no version, fact or retraction out', async () => {
    const [gaps] = await fresh.database.query<{ versions: bigint; facts: bigint; untold: bigint }>(
      `SELECT (SELECT count(*) FROM standings s WHERE version <>
                (SELECT count(*) FROM standing_versions v WHERE v.shard = s.shard AND v.subject = s.subject)) AS versions,
              (SELECT count(*) FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)) AS facts,
              (SELECT count(*) FROM restrictions r WHERE lifted_at IS NOT NULL AND cardinality(told) <>
                (SELECT count(*) FROM events e WHERE e.restriction = r.id AND e.kind = 'restriction.lifted')) AS untold`,
    );
    expect(gaps).toEqual({ versions: 0n, facts: 0n, untold: 0n });
  });

  it('lets no application change what was imposed or ordered', async () => {
    for (const sql of [
      `UPDATE restriction_orders SET content = '{}'`,
      'DELETE FROM restriction_appeals',
      `UPDATE ladders SET ladder = '{}'`,
    ]) {
      await expect(fresh.database.query(sql)).rejects.toThrow('permission denied');
    }
  });

  it('survives a sweep that dies before its commit: the next one does it, once', async () => {
    const ground = groundOn(fresh);
    const world = new ExchangeWorld(ground);
    const { id: subject } = await world.subjects.register({ caller: 'kill', key: 'key-kill', kind: 'INDIVIDUAL' });
    const ref = await world.link(subject, 'bank-k');
    await world.send(world.record('bank-k', ref, 60_001, { kind: 'violation', violation: violation('MINOR', startAt) }));
    await world.hear('bank-k');
    world.clock.advance(90 * 86_400_000);
    const dying: Exchange & TogetherExchange = {
      due: (at, countMax) => ground.exchange.due(at, countMax),
      transaction: (work) => ground.exchange.transaction(work),
      together: (work) =>
        ground.exchange.together(async (books) => {
          await work(books);
          throw new Error('killed before the commit');
        }),
    };
    const facts = (await ground.factKinds()).length;
    await expect(new ReviewDue(dying, nodeClerk, world.clock).run()).rejects.toThrow('killed');
    expect([(await ground.factKinds()).length, (await world.standing(subject)).restrictions.length]).toEqual([facts, 1]);
    while ((await world.review.run()) > 0);
    const lifted = (await world.hear('bank-k')).filter(({ kind }) => kind === 'restriction.lifted');
    expect(lifted).toMatchObject([{ body: { why: 'ENDED' } }]);
    // A clock that is set back brings nothing back: a subject's time only goes on.
    world.clock.set(startAt);
    await world.send(
      world.record('bank-k', ref, 60_002, { kind: 'violation', violation: { ...violation('MINOR', startAt), code: 'NEW' } }),
    );
    expect((await world.standing(subject)).restrictions.map(({ reason }) => reason.code)).not.toContain('FRAUD_CONFIRMED');
  });

  it('judges by the ladder of the policy that the head row demands, from the next judgement on', async () => {
    const world = new ExchangeWorld(groundOn(fresh));
    const { id: subject } = await world.subjects.register({ caller: 'ladder', key: 'key-ladder', kind: 'INDIVIDUAL' });
    const ref = await world.link(subject, 'bank-z');
    let seq = 50_000;
    const report = (code: string) =>
      world.send(world.record('bank-z', ref, ++seq, { kind: 'violation', violation: { ...violation('MINOR', startAt), code } }));
    await report('FIRST');
    const cut = {
      id: 'cut',
      sanctions: [{ step: 'LIMIT_CUT' as const, services: [], limitMinor: 999_999_999_999_999n, currency: 'CNY', days: 30 }],
    };
    const ladder = { ...BUILT_IN_LADDER, name: 'policy 3', rungs: [cut], start: { MINOR: 'cut', MAJOR: 'cut', SEVERE: 'cut' } };
    await fresh.database.transaction(async (tx) => {
      await tx.query('SELECT shard FROM shard_heads ORDER BY shard FOR NO KEY UPDATE');
      await keepLadder(tx, 3n, ladder);
      await tx.query('UPDATE shard_heads SET policy_version = 3');
    });
    await report('SECOND');
    expect((await world.standing(subject)).restrictions.map(({ step, limitMinor }) => [step, limitMinor])).toEqual(
      expect.arrayContaining([
        ['SERVICE_STOP', undefined],
        ['LIMIT_CUT', 999_999_999_999_999n],
      ]),
    );
    expect((await groundOn(fresh).lists.ofSubject(subject))?.map(({ restriction }) => restriction.ladder).sort()).toEqual([
      'built-in',
      'policy 3',
    ]);
  });
});
