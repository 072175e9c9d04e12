import { randomUUID } from 'node:crypto';
import { appendFacts, type Tx } from '#platform';
import { type Allowance, spendsGranted } from '../allowance.js';
import type { AllowanceDraft, Opening } from '../allowance-store.js';
import { type DecisionItem, readUsage } from '../decision.js';
import { holdEnd, holdEndFact, saveHoldEnd } from './pg-allowance-end.js';
import { commitmentOf, findAllowance, freeExpired, moveUsage, takeHead } from './pg-allowance-rows.js';
import { inspectItems } from './pg-decision-ledger.js';

interface HoldRow {
  readonly state: string;
  readonly counters: Readonly<Record<string, string>>;
}

/** Makes an allowance of a reservation: holds a transaction for every part, writes the row and the fact. */
export async function openAllowance(tx: Tx, draft: AllowanceDraft): Promise<Opening> {
  const { id, item } = draft;
  const { subject } = item.ask.request;
  const at = await takeHead(tx, id.shard);
  const known = await findAllowance(tx, id);
  if (known) return { verdict: 'OPEN', allowance: known.allowance };
  await freeExpired(tx, subject, at);
  const [hold] = await tx.query<HoldRow>('SELECT state, counters FROM reservations WHERE shard = $1 AND reservation = $2', [
    id.shard,
    id.uuid,
  ]);
  if (hold?.state !== 'RESERVED') return { verdict: 'OVERTAKEN' };
  const [sighting] = await inspectItems(tx, [item]);
  if (sighting!.verdict === 'STALE') return sighting as Opening;
  if (item.evaluation.outcome !== 'ALLOW' || !sameWindows(item, hold)) {
    await release(tx, draft);
    return { verdict: 'OVERTAKEN' };
  }
  const allowance = allowanceOf(draft, spendsGranted(draft.spendsAsked, countLeft(item, (sighting as { usage: string }).usage)));
  await save(tx, allowance);
  return { verdict: 'OPEN', allowance };
}

/** Further parts are counted where the reservation was. */
function sameWindows({ evaluation }: DecisionItem, { counters }: HoldRow): boolean {
  return evaluation.caps.every(({ counter, start }) => new Date(counters[counter] ?? NaN).getTime() === start.getTime());
}

/** How many more transactions the tightest count allows. A service whose mode does not bind has no such bound. */
function countLeft({ evaluation }: DecisionItem, usage: string): number | undefined {
  if (!evaluation.enforced) return undefined;
  const counters = readUsage(usage);
  const left = evaluation.caps.flatMap(({ count }, i) => (count === undefined ? [] : [count - counters[i]!.taken]));
  return left.length === 0 ? undefined : Math.min(...left);
}

function allowanceOf({ item, ...draft }: AllowanceDraft, spendsMax: number): Allowance {
  const { subject, service, counterparty, channel, money } = item.ask.request;
  return { ...draft, subject, service, counterparty, channel, money, spendsMax };
}

async function save(tx: Tx, allowance: Allowance): Promise<void> {
  const { id, subject, money, spendsMax, issuedAt, expiresAt, holdUntil } = allowance;
  await moveUsage(tx, id, { usedMinor: 0n, reservedMinor: 0n, usedCount: 0, reservedCount: spendsMax - 1 });
  await tx.query('UPDATE reservations SET transactions = $3 WHERE shard = $1 AND reservation = $2', [id.shard, id.uuid, spendsMax]);
  const salt = randomUUID();
  await tx.query(
    `INSERT INTO allowances (shard, allowance, subject, holder, service, counterparty, channel, currency, amount_minor, spends_asked, spends_max,
                             issued_at, expires_at, hold_until, salt)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      ...[id.shard, id.uuid, subject.uuid, allowance.holder, allowance.service, allowance.counterparty ?? null, allowance.channel ?? null],
      ...[money.currency, money.minor, allowance.spendsAsked, spendsMax, issuedAt, expiresAt, holdUntil, salt],
    ],
  );
  const terms = { allowance: id.uuid, amountMinor: money.minor.toString(), currency: money.currency, spends: spendsMax };
  const body = {
    ...{ allowance: id.uuid, holder: allowance.holder, service: allowance.service },
    ...{ expiresAt: expiresAt.toISOString(), holdUntil: holdUntil.toISOString(), commitment: commitmentOf(salt, terms) },
  };
  await appendFacts(tx, [{ shard: id.shard, kind: 'allowance.issued', subject: subject.uuid, body }]);
}

async function release(tx: Tx, { id, item }: AllowanceDraft): Promise<void> {
  const { subject, money } = item.ask.request;
  await moveUsage(tx, id, { usedMinor: 0n, reservedMinor: -money.minor, usedCount: 0, reservedCount: -1 });
  await tx.query(`UPDATE reservations SET state = 'RELEASED' WHERE shard = $1 AND reservation = $2`, [id.shard, id.uuid]);
  const end = holdEnd({ hold: id, subject, kind: 'release', minor: money.minor, currency: money.currency });
  const [position] = await appendFacts(tx, [holdEndFact(end)]);
  await saveHoldEnd(tx, end, position);
}
