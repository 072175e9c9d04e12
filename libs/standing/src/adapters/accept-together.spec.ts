import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { formatId, LostReply, Refusal, type ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { jtiOf, rating, verified, violation } from '#records/testing/records';
import type { Accepted } from '../accept-record.js';
import { ExchangeWorld, startAt } from '../testing/exchange-world.js';
import type { TogetherBooks } from '../together/together-books.js';
import { PgEventQueue } from './pg-event-queue.js';
import { PgExchange } from './pg-exchange.js';
import { PgStandingReader } from './pg-standing-reader.js';

/** The real exchange; each of its shared transactions can be made to end otherwise. */
class MoodyExchange extends PgExchange {
  transactions = 0;
  mood: (transaction: () => Promise<unknown>) => Promise<unknown> = (transaction) => transaction();
  /** The record of this jti is one that PostgreSQL cannot save. */
  poison = '';

  override together<T>(work: (books: TogetherBooks) => Promise<T>): Promise<T> {
    this.transactions++;
    return this.mood(() => super.together((books) => work(this.poisoned(books)))) as Promise<T>;
  }

  private poisoned(books: TogetherBooks): TogetherBooks {
    const refusing: Pick<TogetherBooks, 'saveJudged'> = {
      saveJudged: (standings, added) => {
        if (!added.some(({ record }) => record.jti === this.poison)) return books.saveJudged(standings, added);
        return Promise.reject(Object.assign(new pg.DatabaseError('too bad', 7, 'error'), { code: '22P02' }));
      },
    };
    return Object.setPrototypeOf(refusing, books) as TogetherBooks;
  }
}

let fresh: FreshDatabase;
let exchange: MoodyExchange;
let world: ExchangeWorld;
let subject: ShardedId;
let refA: ShardedId;
let refB: ShardedId;
let n = 0;

const rated = (ref = refA, bank = 'bank-a'): CreditRecord => world.record(bank, ref, ++n, { kind: 'rating', rating: rating(820) });

/** All in one moment: nothing is awaited between the first and the last. */
async function send(records: readonly CreditRecord[], nonces: readonly string[] = []): Promise<PromiseSettledResult<Accepted>[]> {
  const all = await Promise.all(records.map(verified));
  return Promise.allSettled(
    all.map((one, i) => {
      const { iss } = one.value.record;
      return world.accept.run(iss, one, nonces[i] === undefined ? undefined : { participant: iss, nonce: nonces[i] });
    }),
  );
}

/** `new`, `repeated`, or why not. */
async function outcomes(records: readonly CreditRecord[], nonces?: readonly string[]): Promise<string[]> {
  const answers = await send(records, nonces);
  return answers.map((answer) => {
    if (answer.status === 'fulfilled') return answer.value.repeated ? 'repeated' : 'new';
    return answer.reason instanceof Refusal ? answer.reason.code : String(answer.reason);
  });
}

beforeAll(async () => {
  fresh = await freshDatabase();
  const { database } = fresh;
  exchange = new MoodyExchange(database);
  const ground = { exchange, queue: new PgEventQueue(database), reader: new PgStandingReader(database) };
  world = new ExchangeWorld({
    ...ground,
    factKinds: async () => (await database.query<{ kind: string }>('SELECT kind FROM facts ORDER BY shard, seq')).map(({ kind }) => kind),
  });
});
afterAll(() => fresh.close());

beforeEach(async () => {
  subject = await world.subject();
  [refA, refB] = [await world.link(subject, 'bank-a'), await world.link(subject, 'bank-b')];
  Object.assign(exchange, { transactions: 0, mood: (run: () => Promise<unknown>) => run(), poison: '' });
});

/** Every fact has its number, and every version of every standing is kept. */
async function gaps(): Promise<unknown> {
  const [row] = await fresh.database.query(
    `SELECT (SELECT count(*) FROM shard_heads h WHERE last_seq <> (SELECT count(*) FROM facts f WHERE f.shard = h.shard)) AS facts,
            (SELECT count(*) FROM standings s WHERE version <> (SELECT count(*) FROM standing_versions v WHERE v.subject = s.subject)) AS versions`,
  );
  return row;
}

const receiptIn = (answer: PromiseSettledResult<Accepted>) => (answer.status === 'fulfilled' ? answer.value.receipt : 'none');

describe('records that come at the same time', () => {
  it('share a transaction, and each gets the answer it would have got alone', async () => {
    const first = rated();
    const other = await world.link(await world.subject(), 'bank-a');
    const batch: [record: CreditRecord, outcome: string][] = [
      [first, 'new'],
      [first, 'repeated'],
      [rated(refB, 'bank-b'), 'new'],
      [{ ...first, ...{ rating: rating(900) } } as CreditRecord, 'record.equivocation'],
      [{ ...first, jti: jtiOf(70_000) }, 'record.seq_reused'],
      [rated(refB), 'link.unknown'],
      [rated({ ...refA, uuid: jtiOf(1) }), 'link.unknown'],
      [{ ...rated(), asOf: '2026-11-20T00:00:00Z', validUntil: startAt.toISOString() } as CreditRecord, 'record.expired'],
      [world.record('bank-b', refB, ++n, { kind: 'violation', violation: violation('SEVERE', startAt) }), 'new'],
      [rated(other), 'new'],
      [first, 'repeated'],
    ];
    expect(await outcomes(batch.map(([record]) => record))).toEqual(batch.map(([, outcome]) => outcome));
    expect(exchange.transactions).toBe(1);
    expect((await world.ground.factKinds()).filter((kind) => kind === 'record.equivocated')).toHaveLength(1);
    // One after the other: 1 at first, then the rating of each bank, then the violation with its restriction.
    expect(await world.standing(subject)).toMatchObject({ version: 4n, restrictions: [{ step: 'SERVICE_STOP' }] });
    expect((await world.hear('bank-a')).filter(({ ref }) => ref === formatId('lnk', refA)).map(({ kind }) => kind)).toEqual([
      // What its own record did to the score, bank A does not hear.
      ...['link.created', 'rating.changed', 'violation.reported', 'rating.changed', 'restriction.imposed'],
    ]);
    expect(await gaps()).toEqual({ facts: 0n, versions: 0n });
  });

  it('leave a record alone that cannot be saved', async () => {
    const records = Array.from({ length: 9 }, () => rated());
    exchange.poison = records[4]!.jti;
    expect(await outcomes(records)).toEqual(records.map(({ jti }) => (jti === exchange.poison ? 'error: too bad' : 'new')));
    exchange.poison = '';
    expect(await outcomes(records)).toEqual(records.map((_, i) => (i === 4 ? 'new' : 'repeated')));
    expect(await gaps()).toEqual({ facts: 0n, versions: 0n });
  });

  it('are looked up where the reply to their commit was lost', async () => {
    const records = Array.from({ length: 5 }, () => rated());
    let lost = 0;
    exchange.mood = async (transaction) => {
      const done = await transaction();
      if (lost++ === 0) throw new LostReply('gone');
      return done;
    };
    const answers = await send(records);
    expect(lost).toBe(2);
    const repeated = (again: boolean) =>
      answers.map((answer) => ({ status: 'fulfilled', value: { receipt: receiptIn(answer), repeated: again } }));
    expect(answers).toEqual(repeated(false));
    expect(await send(records)).toEqual(repeated(true));
  });

  it('are not answered where nothing is found of them, and may be sent again', async () => {
    const [record, other] = [rated(), rated()];
    expect(await world.outcome(record)).toBe('new');
    const equivocal = { ...record, rating: rating(351) } as CreditRecord;
    let calls = 0;
    exchange.mood = (transaction) => (calls++ === 0 ? Promise.reject(new LostReply('gone')) : transaction());
    expect(await outcomes([other, equivocal])).toEqual(['outcome.unknown', 'outcome.unknown']);
    expect(await outcomes([other, equivocal])).toEqual(['new', 'record.equivocation']);
  });
});

describe('the nonce of a request', () => {
  const nonces = (count: number) => Array.from({ length: count }, () => randomUUID());

  it('is good once: of the same sending in one moment one has an effect, and none later or under another record', async () => {
    const [record, other] = [rated(), rated()];
    const [nonce, fresh] = nonces(2) as [string, string];
    const sendings: [CreditRecord, string, string][] = [
      [record, nonce, 'new'],
      [record, nonce, 'nonce.replayed'],
      [other, nonce, 'nonce.replayed'],
      [record, fresh, 'repeated'],
    ];
    const told = sendings.map(([, , outcome]) => outcome);
    const play = () =>
      outcomes(
        sendings.map(([one]) => one),
        sendings.map(([, one]) => one),
      );
    expect(await play()).toEqual(told);
    expect(exchange.transactions).toBe(1);
    expect(await play()).toEqual(told.map(() => 'nonce.replayed'));
    expect(await outcomes([other], nonces(1))).toEqual(['new']);
  });

  it('is spent by a refusal, too, also by that of a record that goes alone', async () => {
    const unknown = rated({ ...refA, uuid: jtiOf(2) });
    const withdrawal = world.record('bank-a', refA, ++n, { kind: 'withdrawal', withdrawal: { replaces: jtiOf(3) } });
    const spent = nonces(2);
    expect(await outcomes([unknown, withdrawal], spent)).toEqual(['link.unknown', 'record.names_unknown']);
    expect(await outcomes([rated(), rated()], spent)).toEqual(['nonce.replayed', 'nonce.replayed']);
  });

  it('is not spent where nothing was saved and nothing answered', async () => {
    const record = rated();
    const kept = nonces(1);
    exchange.poison = record.jti;
    expect(await outcomes([record], kept)).toEqual(['error: too bad']);
    exchange.poison = '';
    expect(await outcomes([record], kept)).toEqual(['new']);
  });

  it('goes with a correction as with any record', async () => {
    const record = rated();
    await outcomes([record]);
    const replaced = (score: number): CreditRecord =>
      world.record('bank-a', refA, ++n, { kind: 'correction', correction: { replaces: record.jti, rating: rating(score) } });
    const [nonce] = nonces(1);
    // Each goes alone, so either may be the first.
    expect((await outcomes([replaced(700), replaced(701)], [nonce!, nonce!])).sort()).toEqual(['new', 'nonce.replayed']);
  });
});

describe('many processes', () => {
  it('that bring the same records in different orders accept each once and never wait in a ring', async () => {
    const refs = await Promise.all(Array.from({ length: 6 }, async () => world.link(await world.subject(), 'bank-a')));
    const records = Array.from({ length: 60 }, (_, i) => rated(refs[i % refs.length]));
    const { reader, queue, factKinds } = world.ground;
    const others = Array.from(
      { length: 3 },
      () => new ExchangeWorld({ exchange: new PgExchange(fresh.database), reader, queue, factKinds }),
    );
    const orders = [records, [...records].reverse(), [...records.slice(30), ...records.slice(0, 30)]];
    const answers = await Promise.all(others.map((one, i) => Promise.all(orders[i]!.map((record) => one.send(record)))));
    expect(answers.flat().filter(({ repeated }) => !repeated)).toHaveLength(60);
    expect(new Set(answers.flat().map(({ receipt }) => receipt)).size).toBe(60);
    expect(await gaps()).toEqual({ facts: 0n, versions: 0n });
  });
});

// Last, because the clock moves on.
describe('a record that is brought again', () => {
  it('is answered with its first receipt, also when it would be refused by now', async () => {
    const record = { ...rated(), validUntil: new Date(world.clock.now().getTime() + 60_000).toISOString() } as CreditRecord;
    const [first] = await send([record]);
    world.clock.advance(120_000);
    expect(await send([record, rated()])).toMatchObject([
      { value: { receipt: receiptIn(first!), repeated: true } },
      { value: { repeated: false } },
    ]);
  });
});
