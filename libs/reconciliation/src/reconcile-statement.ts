import type { ConfirmedPayment, PaymentFinder } from '#decisions';
import type { Clock, ShardedId } from '#kernel';
import { CAMT053_LIMITS } from './camt053/limits.js';
import { readCamt053 } from './camt053/read-camt053.js';
import { reconciliationClosed } from './facts.js';
import {
  type Candidate,
  type IdentifiedLine,
  identifyLine,
  MATCH_RULES,
  type MatchRules,
  matchLines,
  missingPayments,
} from './match-lines.js';
import { currenciesOf, periodOf } from './period.js';
import { type Progress, type Reconciliation, verdictOf } from './reconciliation.js';
import { candidateReferences } from './references.js';
import type { StatementLine } from './statement-line.js';
import { type Lease, LeaseLost, type ReconciliationStore } from './store.js';
import { pagesOfLines } from './survey-statement.js';

const leaseMs = 15_000;
const retryAfterMsMin = 5_000;
const retryDoublingsMax = 6;
const linesPerPageMax = 1_000;
const paymentsPerQueryMax = 5_000;

/** `held`: closed, or somebody else is at it. `lost`: somebody took it over on the way. Neither is a failure. */
export type RunResult = 'closed' | 'held' | 'lost';

/**
 * Reconciles one file from wherever it stands: reads its lines page by page, matches them reference by reference, and closes it. Each
 * page is one transaction with its progress under a lease, so a killed run goes on where it was and a second run has no effect.
 */
export class ReconcileStatement {
  constructor(
    private readonly store: ReconciliationStore,
    private readonly payments: PaymentFinder,
    private readonly clock: Clock,
    private readonly rules: MatchRules = MATCH_RULES,
  ) {}

  async run(id: ShardedId, report: (progress: Progress) => Promise<void> = () => Promise.resolve()): Promise<RunResult> {
    const taken = await this.store.lease(id, leaseMs);
    if (!taken) return 'held';
    try {
      await this.work(taken.lease, taken.reconciliation, report);
      return 'closed';
    } catch (error) {
      if (error instanceof LeaseLost) return 'lost';
      await this.store.release(taken.lease, retryAfterMsMin * 2 ** Math.min(taken.lease.epoch - 1, retryDoublingsMax));
      throw error;
    }
  }

  private async work(lease: Lease, known: Reconciliation, report: (progress: Progress) => Promise<void>): Promise<void> {
    let { progress } = known;
    const advance = async (step: Partial<Progress>) => {
      progress = { ...progress, ...step };
      await report(progress);
    };
    if (known.state === 'RECEIVED') await this.readLines(lease, known, (linesRead) => advance({ linesRead }));
    await this.match(lease, known, (lines) => advance({ linesMatched: progress.linesMatched + lines }));
    await this.close(lease, known);
  }

  private async readLines(
    lease: Lease,
    { progress, participant }: Reconciliation,
    advance: (linesRead: number) => Promise<void>,
  ): Promise<void> {
    const file = readCamt053(this.store.readBytes(lease.id), CAMT053_LIMITS);
    let linesRead = progress.linesRead;
    for await (const page of pagesOfLines(file, linesRead, linesPerPageMax)) {
      linesRead += page.length;
      await this.store.saveLines(lease, await this.identify(page, participant), linesRead === progress.linesTotal, leaseMs);
      await advance(linesRead);
    }
    if (progress.linesTotal === progress.linesRead) await this.store.saveLines(lease, [], true, leaseMs);
  }

  /** EndToEndId first; only lines whose own is not ours are asked for everything else they bear. */
  private async identify(page: readonly StatementLine[], participant: string): Promise<IdentifiedLine[]> {
    const first = await this.referencesOf(
      page.flatMap(({ endToEndId }) => endToEndId ?? []),
      participant,
    );
    const open = page.filter(({ endToEndId }) => endToEndId === undefined || !first.has(endToEndId));
    const others = open.flatMap(({ references }) => candidateReferences(references).map(({ value }) => value));
    const known = new Set([...first, ...(await this.referencesOf(others, participant))]);
    return page.map((line) => identifyLine(line, known));
  }

  private async referencesOf(asked: readonly string[], participant: string): Promise<Set<string>> {
    return new Set((await this.findPayments(asked, participant)).map(({ paymentReference }) => paymentReference));
  }

  /** Only payments of the sender's own channel: a statement must not reach, nor tell anything about, those of another bank. */
  private async findPayments(references: readonly string[], participant: string): Promise<ConfirmedPayment[]> {
    const asked = [...new Set(references)];
    const found: ConfirmedPayment[] = [];
    for (let i = 0; i < asked.length; i += paymentsPerQueryMax) {
      found.push(...(await this.payments.findByReferences(asked.slice(i, i + paymentsPerQueryMax))));
    }
    return found.filter(({ channel }) => channel === participant);
  }

  private async match(lease: Lease, { participant }: Reconciliation, advance: (lines: number) => Promise<void>): Promise<void> {
    for (;;) {
      const page = await this.store.nextLines(lease, linesPerPageMax);
      if (page.length === 0) return;
      const payments = await this.findPayments(
        page.flatMap(({ reference }) => reference?.value ?? []),
        participant,
      );
      const candidates = await this.candidates(lease.id, payments);
      await this.store.saveOutcomes(lease, matchLines(page, candidates, this.rules), leaseMs);
      await advance(page.length);
    }
  }

  private async candidates(id: ShardedId, payments: readonly ConfirmedPayment[]): Promise<Candidate[]> {
    const taken = await this.store.takenPayments(
      id,
      payments.map(({ reservation }) => reservation.uuid),
    );
    return payments.map((payment) => ({ payment, taken: taken.has(payment.reservation.uuid) }));
  }

  private async close(lease: Lease, known: Reconciliation): Promise<void> {
    const expected = await this.expectedPayments(known);
    const taken = new Set<string>();
    for (let i = 0; i < expected.length; i += paymentsPerQueryMax) {
      const uuids = expected.slice(i, i + paymentsPerQueryMax).map(({ reservation }) => reservation.uuid);
      for (const uuid of (await this.store.takenPayments(lease.id, uuids)).keys()) taken.add(uuid);
    }
    const missing = missingPayments(expected, taken, known.progress.linesTotal);
    const counts = { ...(await this.store.countOutcomes(lease.id)), ...(missing.length > 0 ? { MISSING_THEIRS: missing.length } : {}) };
    const end = { state: verdictOf({ counts, statements: known.statements }), missing, counts, closedAt: this.clock.now() };
    await this.store.close(lease, end, [reconciliationClosed(known, end)]);
  }

  /** Payments of this channel that were confirmed in the time, and in a currency, that a statement of the file speaks for. */
  private async expectedPayments({ statements, participant }: Reconciliation): Promise<ConfirmedPayment[]> {
    const expected = new Map<string, ConfirmedPayment>();
    for (const { head } of statements) {
      const period = periodOf(head, this.rules.utcOffsetMinutes);
      if (!period) continue;
      const currencies = currenciesOf(head);
      for (const payment of await this.payments.findExpected(participant, period.from, period.to)) {
        if (currencies.has(payment.money.currency)) expected.set(payment.reservation.uuid, payment);
      }
    }
    return [...expected.values()];
  }
}
