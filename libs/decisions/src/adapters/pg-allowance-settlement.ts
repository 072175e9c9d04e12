import { randomBytes, randomUUID } from 'node:crypto';
import { type Fact, type Facts, type FactPosition, type Shard, type ShardedId, uuidV7 } from '#kernel';
import { appendFacts, type Tx } from '#platform';
import type { AllowanceKnown } from '../allowance.js';
import { allowanceUnknown } from '../allowance-codes.js';
import { type RecordedSpend, settleSpends, type SettlementStep } from '../allowance-spend.js';
import type { AllowanceSettlementAsk, Settled } from '../allowance-store.js';
import { currencyDiffers } from '../codes.js';
import { holdEnd, holdEndFact, saveHoldEnd } from './pg-allowance-end.js';
import { commitmentOf, findAllowance, freeExpired, moveUsage, takeHead } from './pg-allowance-rows.js';

interface SpendRow {
  readonly reference: string;
  readonly reservation: string | null;
  readonly minor: bigint;
  readonly spentAt: Date;
  readonly result: RecordedSpend['result'];
  readonly code: string | null;
}

/** Takes reported parts from an allowance: counters, the parts' own reservations, the hold and the facts, in one transaction. */
export async function settleAllowance(tx: Tx, ask: AllowanceSettlementAsk): Promise<Settled> {
  const { shard } = ask.allowance;
  const at = await takeHead(tx, shard);
  const found = await findAllowance(tx, ask.allowance);
  if (found?.allowance.holder !== ask.holder) throw allowanceUnknown();
  const { subject, service, money } = found.allowance;
  if (ask.currency !== undefined && ask.currency !== money.currency) throw currencyDiffers(money.currency);
  await freeExpired(tx, subject, at);
  const known = (await findAllowance(tx, ask.allowance))!;
  const references = ask.reports.map(({ paymentReference }) => paymentReference);
  const step = settleSpends({
    ...{ known, reports: ask.reports, close: ask.close && known.closedAt === undefined, at },
    recorded: await findRecorded(tx, ask.allowance, references),
    taken: await findTaken(tx, shard, service, references),
    newReservation: () => ({ shard, uuid: uuidV7(at.getTime(), randomBytes(10)) }),
  });
  if (step.added.length > 0 || step.next.closedAt !== known.closedAt) await save(tx, known, step, at);
  return { known: step.next, results: step.results, added: step.added, at };
}

async function findRecorded(tx: Tx, { shard, uuid }: ShardedId, references: readonly string[]): Promise<Map<string, RecordedSpend>> {
  const rows = await tx.query<SpendRow>(
    `SELECT reference, reservation, amount_minor AS minor, spent_at AS "spentAt", result, code
       FROM allowance_spends WHERE shard = $1 AND allowance = $2 AND reference = ANY ($3::text[])`,
    [shard, uuid, references],
  );
  return new Map(
    rows.map(({ reference, reservation, minor, spentAt, result, code }) => [
      reference,
      {
        report: { paymentReference: reference, minor, at: spentAt },
        ...{ result, code: code ?? undefined, reservation: reservation === null ? undefined : { shard, uuid: reservation } },
      },
    ]),
  );
}

async function findTaken(tx: Tx, shard: Shard, service: string, references: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ reference: string }>(
    'SELECT payment_reference AS reference FROM reservations WHERE shard = $1 AND service = $2 AND payment_reference = ANY ($3::text[])',
    [shard, service, references],
  );
  return new Set(rows.map(({ reference }) => reference));
}

async function save(tx: Tx, known: AllowanceKnown, step: SettlementStep, at: Date): Promise<void> {
  const { allowance } = known;
  const { next, added, change, ended } = step;
  await moveUsage(tx, allowance.id, change);
  await saveHold(tx, next);
  const parts = added.map((spend) => ({ ...spend, salt: randomUUID() }));
  await saveReservations(tx, next, parts);
  const end = ended && holdEnd({ hold: allowance.id, subject: allowance.subject, kind: ended, ...endedMinor(next, ended) });
  const closing = next.closedAt !== known.closedAt ? [closedFact(next)] : [];
  const facts = [...parts.map((part) => spendFact(next, part)), ...(end ? [holdEndFact(end)] : []), ...closing];
  const positions = await appendFacts(tx, facts as unknown as Facts);
  await saveSpends(tx, next, parts, positions, at);
  if (end) await saveHoldEnd(tx, end, positions[parts.length]);
}

function endedMinor({ allowance: { money }, hold }: AllowanceKnown, ended: 'confirm' | 'release') {
  return { minor: ended === 'confirm' ? hold.confirmedMinor : money.minor, currency: money.currency };
}

/** The hold is no payment itself: it has no time of confirmation, so no statement is expected to show it. */
async function saveHold(tx: Tx, { allowance: { id }, hold, closedAt }: AllowanceKnown): Promise<void> {
  await tx.query('UPDATE reservations SET state = $3, confirmed_minor = $4, transactions = $5 WHERE shard = $1 AND reservation = $2', [
    id.shard,
    id.uuid,
    hold.state,
    hold.confirmedMinor,
    hold.transactions,
  ]);
  if (closedAt) await tx.query('UPDATE allowances SET closed_at = $3 WHERE shard = $1 AND allowance = $2', [id.shard, id.uuid, closedAt]);
}

interface Part extends RecordedSpend {
  readonly salt: string;
}

async function saveReservations(tx: Tx, { allowance }: AllowanceKnown, parts: readonly Part[]): Promise<void> {
  const spent = parts.flatMap(({ reservation, report }) => (reservation ? [{ reservation, report }] : []));
  if (spent.length === 0) return;
  await tx.query(
    `INSERT INTO reservations (shard, reservation, subject, caller, service, state, currency, amount_minor, confirmed_minor, payment_reference,
                               channel, counters, expires_at, confirmed_at, allowance)
     SELECT h.shard, i.reservation, h.subject, $3, h.service, 'CONFIRMED', h.currency, i.minor, i.minor, i.reference, h.channel, h.counters,
            h.expires_at, i.spent_at, h.reservation
       FROM reservations h
      CROSS JOIN unnest($4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[]) AS i (reservation, minor, reference, spent_at)
      WHERE h.shard = $1 AND h.reservation = $2`,
    [
      ...[allowance.id.shard, allowance.id.uuid, allowance.holder],
      spent.map(({ reservation }) => reservation.uuid),
      spent.map(({ report }) => report.minor),
      spent.map(({ report }) => report.paymentReference),
      spent.map(({ report }) => report.at),
    ],
  );
}

async function saveSpends(
  tx: Tx,
  { allowance: { id } }: AllowanceKnown,
  parts: readonly Part[],
  positions: readonly FactPosition[],
  at: Date,
): Promise<void> {
  if (parts.length === 0) return;
  await tx.query(
    `INSERT INTO allowance_spends (shard, allowance, reference, reservation, amount_minor, spent_at, reported_at, result, code, salt, seq)
     SELECT $1, $2, i.reference, i.reservation, i.minor, i.spent_at, $3, i.result, i.code, i.salt, i.seq
       FROM unnest($4::text[], $5::uuid[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[], $10::uuid[], $11::bigint[])
            AS i (reference, reservation, minor, spent_at, result, code, salt, seq)`,
    [
      ...[id.shard, id.uuid, at],
      parts.map(({ report }) => report.paymentReference),
      parts.map(({ reservation }) => reservation?.uuid ?? null),
      parts.map(({ report }) => report.minor),
      parts.map(({ report }) => report.at),
      parts.map(({ result }) => result),
      parts.map(({ code }) => code ?? null),
      parts.map(({ salt }) => salt),
      parts.map((_, i) => positions[i]!.seq),
    ],
  );
}

const SPEND_FACTS: Readonly<Record<RecordedSpend['result'], string>> = {
  SETTLED: 'allowance.spent',
  LATE: 'allowance.spent_late',
  REFUSED: 'allowance.spend_refused',
};

function spendFact({ allowance: { id, subject, money } }: AllowanceKnown, { report, result, code, reservation, salt }: Part): Fact {
  const content = {
    ...{ allowance: id.uuid, amountMinor: report.minor.toString(), currency: money.currency, paymentReference: report.paymentReference },
    ...{ result, spentAt: report.at.toISOString(), ...(code === undefined ? {} : { code }) },
  };
  const body = {
    allowance: id.uuid,
    ...(reservation === undefined ? {} : { reservation: reservation.uuid }),
    commitment: commitmentOf(salt, content),
  };
  return { shard: id.shard, kind: SPEND_FACTS[result], subject: subject.uuid, body };
}

function closedFact({ allowance: { id, subject }, spends }: AllowanceKnown): Fact {
  return { shard: id.shard, kind: 'allowance.closed', subject: subject.uuid, body: { allowance: id.uuid, spends } };
}
