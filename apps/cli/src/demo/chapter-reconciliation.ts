import { randomBytes } from 'node:crypto';
import type { Payment } from './chapter-decision.js';
import { type StatementLine, writeCamt053 } from './camt053-writer.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

/** Bank A files a statement made from the demo's own payments, with planted breaks; exactly those are named. */
export async function reconcileTheDay(stage: Stage, narrator: Narrator, payments: readonly Payment[]): Promise<void> {
  narrator.chapter('Bank A files its statement, with five planted breaks');
  const { lines, planted } =
    stage.sabotage === 'statement' ? { lines: payments.map(lineOf), planted: plantBreaks(payments).planted } : plantBreaks(payments);
  const now = new Date();
  const xml = writeCamt053({
    id: `DEMO-${randomBytes(6).toString('hex')}`,
    account: 'CN-TALLY-0001',
    currency: 'CNY',
    bookedAt: now,
    from: new Date(now.getTime() - 10 * 60_000),
    to: now,
    openingMinor: 1_000_000n,
    lines,
  });
  const { id } = await stage.bankA.client.fileStatement(xml);
  const done = await narrator.until('a queue job reconciles it', 30, async () => {
    const run = await stage.bankA.client.reconciliation(id);
    return run['state'] === 'BALANCED' || run['state'] === 'BROKEN' ? run : undefined;
  });
  const ours = new Set(lines.map((line) => line.endToEndId).concat(payments.map((payment) => payment.reference)));
  const found = (done['breaks'] as { type: string; reference: string }[])
    .filter((row) => ours.has(row.reference))
    .map((row) => `${row.type} ${row.reference}`)
    .sort();
  narrator.check('it names exactly the planted breaks', JSON.stringify(found) === JSON.stringify([...planted].sort()), found);
  for (const row of found) narrator.say(row);
}

function plantBreaks([exact, over, under, missing, twice]: readonly Payment[]): { lines: StatementLine[]; planted: string[] } {
  const unknown = { reference: `UNKNOWN-${randomBytes(6).toString('hex')}`, money: { minor: 777n, currency: 'CNY' } };
  return {
    lines: [lineOf(exact!), lineOf(changed(over!, 10n)), lineOf(changed(under!, -100n)), lineOf(twice!), lineOf(twice!), lineOf(unknown)],
    planted: [
      `OVER_AMOUNT ${over!.reference}`,
      `UNDER_AMOUNT ${under!.reference}`,
      `MISSING_THEIRS ${missing!.reference}`,
      `DUPLICATE ${twice!.reference}`,
      `MISSING_OURS ${unknown.reference}`,
    ],
  };
}

function lineOf({ reference, money }: Payment): StatementLine {
  return { endToEndId: reference, money, servicerReference: randomBytes(8).toString('hex') };
}

function changed(payment: Payment, byMinor: bigint): Payment {
  return { ...payment, money: { ...payment.money, minor: payment.money.minor + byMinor } };
}
