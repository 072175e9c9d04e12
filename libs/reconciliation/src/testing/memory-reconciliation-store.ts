import { type Facts, invariant, type ShardedId } from '#kernel';
import type { IdentifiedLine } from '../match-lines.js';
import { type Outcome, type OutcomeKind, takesPayment } from '../outcome.js';
import { isClosed, type Reconciliation } from '../reconciliation.js';
import {
  type Closing,
  type Lease,
  LeaseLost,
  type NewReconciliation,
  type Outstanding,
  type OutcomeView,
  type ReconciliationStore,
} from '../store.js';

interface Row {
  reconciliation: Reconciliation;
  readonly bytes: Uint8Array[];
  readonly lines: IdentifiedLine[];
  readonly outcomes: Map<number, Outcome>;
  epoch: number;
  leasedUntilMs: number;
}

/** The store in memory, for tests. `facts` shows what was saved. */
export class MemoryReconciliationStore implements ReconciliationStore {
  readonly facts: Facts[number][] = [];
  private readonly rows = new Map<string, Row>();

  constructor(private readonly nowMs: () => number = () => Date.now()) {}

  async receive(incoming: NewReconciliation, bytes: AsyncIterable<Uint8Array>, facts: Facts): ReturnType<ReconciliationStore['receive']> {
    const kept: Uint8Array[] = [];
    for await (const chunk of bytes) kept.push(chunk);
    const first = [...this.rows.values()].find(
      ({ reconciliation: { participant, digest } }) => participant === incoming.participant && digest === incoming.digest,
    );
    if (first) return { reconciliation: first.reconciliation, repeated: true };
    const { linesTotal, ...rest } = incoming;
    const reconciliation: Reconciliation = {
      ...rest,
      state: 'RECEIVED',
      counts: {},
      progress: { linesTotal, linesRead: 0, linesMatched: 0 },
    };
    this.rows.set(incoming.id.uuid, { reconciliation, bytes: kept, lines: [], outcomes: new Map(), epoch: 0, leasedUntilMs: -Infinity });
    this.facts.push(...facts);
    return { reconciliation, repeated: false };
  }

  async find(id: ShardedId): Promise<Reconciliation | undefined> {
    return this.rows.get(id.uuid)?.reconciliation;
  }

  async *readBytes(id: ShardedId): AsyncGenerator<Uint8Array> {
    yield* this.row(id).bytes;
  }

  async outstanding(countMax: number): Promise<Outstanding[]> {
    return [...this.rows.values()]
      .filter((row) => this.isFree(row))
      .map(({ reconciliation: { id }, epoch }) => ({ id, epoch }))
      .slice(0, countMax);
  }

  async lease(id: ShardedId, leaseMs: number): Promise<{ lease: Lease; reconciliation: Reconciliation } | undefined> {
    const row = this.rows.get(id.uuid);
    if (!row || !this.isFree(row)) return undefined;
    row.epoch++;
    row.leasedUntilMs = this.nowMs() + leaseMs;
    return { lease: { id, epoch: row.epoch }, reconciliation: row.reconciliation };
  }

  async release(lease: Lease, retryAfterMs: number): Promise<void> {
    const row = this.row(lease.id);
    if (row.epoch === lease.epoch) row.leasedUntilMs = this.nowMs() + retryAfterMs;
  }

  async saveLines(lease: Lease, lines: readonly IdentifiedLine[], last: boolean, leaseMs: number): Promise<void> {
    const row = this.held(lease, leaseMs);
    row.lines.push(...lines);
    this.change(row, { state: last ? 'PARSED' : 'RECEIVED', progress: { ...row.reconciliation.progress, linesRead: row.lines.length } });
  }

  async nextLines(lease: Lease, linesMax: number): Promise<IdentifiedLine[]> {
    const { lines, outcomes } = this.row(lease.id);
    const open = lines.filter(({ line }) => !outcomes.has(line.n));
    const page = open.slice(0, linesMax);
    const references = new Set(page.map(({ reference }) => reference?.value));
    return open.filter((line) => page.includes(line) || (line.reference && references.has(line.reference.value)));
  }

  async saveOutcomes(lease: Lease, outcomes: readonly Outcome[], leaseMs: number): Promise<void> {
    const row = this.held(lease, leaseMs);
    this.addOutcomes(row, outcomes);
    this.change(row, { state: 'MATCHING', progress: { ...row.reconciliation.progress, linesMatched: row.outcomes.size } });
  }

  async takenPayments(id: ShardedId, reservations: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { participant } = this.row(id).reconciliation;
    const taken = new Map<string, string>();
    for (const { reconciliation, outcomes } of this.rows.values()) {
      if (reconciliation.participant !== participant) continue;
      for (const outcome of outcomes.values()) {
        const uuid = takesPayment(outcome) ? outcome.payment!.reservation.uuid : undefined;
        if (uuid !== undefined && reservations.includes(uuid)) taken.set(uuid, reconciliation.id.uuid);
      }
    }
    return taken;
  }

  async countOutcomes(id: ShardedId): Promise<Partial<Record<OutcomeKind, number>>> {
    const counts: Partial<Record<OutcomeKind, number>> = {};
    for (const { kind } of this.row(id).outcomes.values()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  async close(lease: Lease, { state, missing, counts, closedAt }: Closing, facts: Facts): Promise<void> {
    const row = this.held(lease, 0);
    this.addOutcomes(row, missing);
    this.change(row, { state, counts, closedAt });
    this.facts.push(...facts);
  }

  async outcomes(id: ShardedId, side: 'matches' | 'breaks', after: number, countMax: number): Promise<OutcomeView[]> {
    const { lines, outcomes } = this.row(id);
    return [...outcomes.values()]
      .filter(({ n, kind }) => n > after && (kind === 'MATCHED') === (side === 'matches'))
      .sort((a, b) => a.n - b.n)
      .slice(0, countMax)
      .map(({ line, payment, ...outcome }) => {
        const found = lines.find((identified) => identified.line.n === line)?.line;
        return { ...outcome, ...(found ? { line: found } : {}), ...(payment ? { payment } : {}) };
      });
  }

  private addOutcomes(row: Row, outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      invariant(!row.outcomes.has(outcome.n), 'a line has one outcome');
      row.outcomes.set(outcome.n, outcome);
    }
  }

  private change(row: Row, change: Partial<Reconciliation>): void {
    row.reconciliation = { ...row.reconciliation, ...change };
  }

  private isFree({ reconciliation, leasedUntilMs }: Row): boolean {
    return !isClosed(reconciliation.state) && leasedUntilMs <= this.nowMs();
  }

  private held(lease: Lease, leaseMs: number): Row {
    const row = this.row(lease.id);
    if (row.epoch !== lease.epoch || isClosed(row.reconciliation.state)) throw new LeaseLost();
    row.leasedUntilMs = this.nowMs() + leaseMs;
    return row;
  }

  private row(id: ShardedId): Row {
    const row = this.rows.get(id.uuid);
    invariant(row, `reconciliation ${id.uuid} exists`);
    return row;
  }
}
