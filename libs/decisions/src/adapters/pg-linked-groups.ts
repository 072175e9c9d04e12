import { createHash } from 'node:crypto';
import type { LinkedAnswer } from '#contract';
import { type Fact, formatId, invariant } from '#kernel';
import { appendFacts, type Database, orLostReply, type SqlRunner, type Tx } from '#platform';
import { isAnyBroken, type Ruling } from '../decision.js';
import type { Ruled } from '../details.js';
import {
  type DecidedRuling,
  isDenied,
  type LinkedGroup,
  type LinkedLedger,
  type LinkedRow,
  type LinkedRuling,
  tellDenied,
  tellReserved,
} from '../linked.js';
import type { DecisionKey } from '../store.js';
import { inspectItems, reserveItems } from './pg-decision-ledger.js';

/** Linked batches: the same `reserve_batch` in a transaction of their own, which goes back to its beginning where an item is denied. */
export class PgLinkedGroups implements LinkedLedger {
  constructor(private readonly database: Database) {}

  async reserveAll(group: LinkedGroup): Promise<LinkedRuling> {
    return await orLostReply(this.database.transaction((tx) => reserveAll(tx, group)));
  }

  async find(key: DecisionKey): Promise<LinkedRow | undefined> {
    return await findGroup(this.database, key);
  }

  async findSettled(key: DecisionKey): Promise<LinkedRow | undefined> {
    return await this.database.transaction(async (tx) => {
      await takeHead(tx, key);
      return await findGroup(tx, key);
    });
  }
}

async function reserveAll(tx: Tx, group: LinkedGroup): Promise<LinkedRuling> {
  await takeHead(tx, group);
  const row = await findGroup(tx, group);
  if (row) return { verdict: 'KNOWN', row };
  await tx.query('SAVEPOINT nothing_taken');
  const rulings = await reserveItems(
    tx,
    group.items.map(({ item }) => item),
  );
  const verdict = await judge(tx, group, rulings);
  if (verdict.verdict === 'SAVED') await save(tx, group, verdict.answer);
  return verdict;
}

async function judge(tx: Tx, group: LinkedGroup, rulings: readonly Ruling[]): Promise<LinkedRuling> {
  const stale = rulings.find((ruling) => ruling.verdict === 'STALE');
  const references = itemsWhere(rulings, ({ verdict }) => verdict === 'REFERENCE');
  const denied = itemsWhere(rulings, (ruling, i) => ruling.verdict === 'DECIDED' && isDenied(group.items[i]!, ruling.usage));
  if (!stale && references.size + denied.size === 0) {
    return { verdict: 'SAVED', answer: tellReserved(group.items, rulings as readonly DecidedRuling[]) };
  }
  await tx.query('ROLLBACK TO SAVEPOINT nothing_taken');
  if (stale) return stale;
  if (references.size > 0) return { verdict: 'REFERENCE', items: references };
  return { verdict: 'SAVED', answer: tellDenied(group.items, await recordDenied(tx, group, rulings, denied)) };
}

/**
 * What is denied by itself leaves a decision, as every adverse answer does. What only the group's sum was too much for leaves none: alone
 * it would have been allowed, and the ledger never says otherwise.
 */
async function recordDenied(
  tx: Tx,
  { items }: LinkedGroup,
  rulings: readonly Ruling[],
  denied: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Ruled>> {
  const told = new Map([...denied].map((i) => [i, { ...(rulings[i] as DecidedRuling), decision: undefined } as Ruled]));
  const candidates = [...denied];
  const sightings = await inspectItems(
    tx,
    candidates.map((i) => items[i]!.item),
  );
  const alone = candidates.filter((i, n) => {
    const sighting = sightings[n]!;
    return items[i]!.item.evaluation.outcome === 'DENY' || (sighting.verdict === 'SEEN' && isAnyBroken(sighting.usage));
  });
  if (alone.length === 0) return told;
  const recorded = await reserveItems(
    tx,
    alone.map((i) => items[i]!.item),
  );
  alone.forEach((i, n) => {
    const ruling = recorded[n]!;
    invariant(ruling.verdict === 'DECIDED' && isDenied(items[i]!, ruling.usage), 'what is denied alone is denied under the same lock');
    told.set(i, { at: ruling.at, usage: ruling.usage, decision: items[i]!.item.decision });
  });
  return told;
}

/** The head row, held to the commit: nobody decides for a subject of this shard meanwhile. */
async function takeHead(tx: Tx, { subject }: DecisionKey): Promise<void> {
  await tx.query('SELECT shard FROM shard_heads WHERE shard = $1 FOR NO KEY UPDATE', [subject.shard]);
}

async function findGroup(runner: SqlRunner, { subject, caller, key }: DecisionKey): Promise<LinkedRow | undefined> {
  const [row] = await runner.query<{ digest: Uint8Array; answer: string }>(
    'SELECT digest, answer FROM linked_groups WHERE shard = $1 AND subject = $2 AND caller = $3 AND key = $4',
    [subject.shard, subject.uuid, caller, key],
  );
  return row && { digest: row.digest, answer: JSON.parse(row.answer) as LinkedAnswer };
}

async function save(tx: Tx, group: LinkedGroup, answer: LinkedAnswer): Promise<void> {
  const { subject, caller, key, digest, salt } = group;
  const text = JSON.stringify(answer);
  const [position] = await appendFacts(tx, [factOf(group, answer, text)]);
  await tx.query(
    `INSERT INTO linked_groups (shard, subject, caller, key, digest, at, outcome, answer, salt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [subject.shard, subject.uuid, caller, key, digest, position!.at, answer.outcome, text, salt],
  );
}

/** Names the decisions that the group made; amounts and reasons are about a person, so the fact commits to them. */
function factOf({ subject, caller, items, salt }: LinkedGroup, { outcome, results }: LinkedAnswer, text: string): Fact {
  const recorded = new Set(results.flatMap((result) => ('answer' in result ? [result.answer.decisionId] : [])));
  const decisions = items.flatMap(({ item: { decision } }) => (recorded.has(formatId('dec', decision)) ? [decision.uuid] : []));
  const commitment = createHash('sha256')
    .update(Buffer.from(salt.replaceAll('-', ''), 'hex'))
    .update(text)
    .digest('hex');
  return { shard: subject.shard, kind: 'decisions.linked', subject: subject.uuid, body: { caller, outcome, decisions, commitment } };
}

function itemsWhere(rulings: readonly Ruling[], test: (ruling: Ruling, item: number) => boolean): ReadonlySet<number> {
  return new Set(rulings.flatMap((ruling, i) => (test(ruling, i) ? [i] : [])));
}
