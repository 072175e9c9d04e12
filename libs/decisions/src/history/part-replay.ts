import { Agenda } from './agenda.js';
import type { Backtest, BacktestPart } from './backtest.js';
import type { DecisionHistory, HistoryRow, SubjectPlace } from './decision-history.js';
import type { RecordedSettlement } from './recorded.js';
import { type ReplayRules, SubjectReplay } from './redecide.js';
import { Tally } from './tally.js';

export const PAGE_LIMITS = {
  /** Decisions read at once: some 40 ms of work, so that the process stays answerable. */
  rows: 1_000,
};

interface Sources {
  readonly history: DecisionHistory;
  readonly sha256Hex: (text: string) => string;
}

interface Page {
  readonly rows: readonly HistoryRow[];
  readonly settlements: readonly RecordedSettlement[];
  /** The last subject's history goes on behind this page. */
  readonly isOpen: boolean;
  readonly isLast: boolean;
}

/** One shard of a back-test: page by page, each subject's decisions and settlements in the order of their numbers. */
export class PartReplay {
  isDone: boolean;
  private readonly tally: Tally;
  private decided: bigint;
  private digest: string;
  private afterSubject: string | undefined;
  private open: OpenSubject | undefined;
  /** Where it stood before a subject whose history is longer than a page: nothing more may be saved before that subject's end. */
  private frozen: BacktestPart | undefined;
  private coming: Promise<Page>;

  constructor(
    private readonly asked: Backtest,
    private readonly part: BacktestPart,
    private readonly rules: ReplayRules,
    private readonly sources: Sources,
  ) {
    this.isDone = part.isDone;
    this.tally = Tally.of(part.tally);
    this.decided = part.decided;
    this.digest = part.digest;
    this.afterSubject = part.afterSubject;
    const after = part.afterSubject === undefined ? undefined : { subject: part.afterSubject };
    this.coming = part.isDone ? Promise.resolve(NOTHING) : this.fetch(after);
    this.coming.catch(() => undefined);
  }

  /** Takes the next page. The one after it is read meanwhile. */
  async next(): Promise<void> {
    const page = await this.coming;
    const last = page.rows.at(-1);
    if (!page.isLast && last) {
      this.coming = this.fetch(page.isOpen ? { subject: last.subject, seq: last.seq } : { subject: last.subject });
      // Whoever awaits it hears of its failure; until then it is not unheard of.
      this.coming.catch(() => undefined);
    }
    if (page.isOpen) this.frozen ??= this.now();
    this.take(page);
    if (page.isOpen) return;
    this.isDone = page.isLast;
    this.afterSubject = last?.subject ?? this.afterSubject;
    this.open = this.frozen = undefined;
  }

  /** What may be saved: everything up to the end of some subject. */
  reached(): BacktestPart {
    return this.frozen ?? this.now();
  }

  private now(): BacktestPart {
    const { decided, digest, afterSubject, isDone } = this;
    return { ...this.part, decided, digest, afterSubject, isDone, tally: this.tally.toJson() };
  }

  private take({ rows, settlements }: Page): void {
    const steps = byDecision(settlements);
    for (const row of rows) {
      if (this.open?.subject !== row.subject) this.open = new OpenSubject(row.subject, this.rules);
      const own = steps.get(row.decision) ?? [];
      this.decide(this.open, row, own);
      this.decided++;
      this.digest = this.sources.sha256Hex([this.digest, row.digest, ...own.map(stepText)].join('\n'));
    }
  }

  private decide(open: OpenSubject, row: HistoryRow, own: readonly RecordedSettlement[]): void {
    const { from, to } = this.asked;
    if (to && row.at >= to) return;
    open.settleBefore(row.seq);
    if (from && row.at < from) open.replay.follow(row);
    else this.tally.add(open.replay.decide(row));
    for (const step of own) open.steps.add(step);
  }

  /**
   * A page ends with a subject's end, so that there is something to save; only a subject that fills a page alone is taken in several.
   */
  private async fetch(after: SubjectPlace | undefined): Promise<Page> {
    const { shard } = this.part;
    const untilSeq = this.asked.bounds.get(shard)!;
    const countMax = PAGE_LIMITS.rows;
    const read = await this.sources.history.bySubject(shard, untilSeq, { ...(after && { after }), countMax });
    const isLast = read.length < countMax;
    const [first, last] = [read[0]?.subject, read.at(-1)?.subject];
    const isOpen = !isLast && first === last;
    const rows = isLast || isOpen ? read : read.filter(({ subject }) => subject !== last);
    const held = rows.filter(({ expiresAt }) => expiresAt !== undefined).map(({ decision }) => decision);
    const settlements = held.length === 0 ? [] : await this.sources.history.settlementsOf(shard, held, untilSeq);
    return { rows, settlements, isOpen, isLast };
  }
}

const NOTHING: Page = { rows: [], settlements: [], isOpen: false, isLast: true };

/** A subject in the middle of its history. */
class OpenSubject {
  readonly replay: SubjectReplay;
  /** Steps of its reservations that are still to come. */
  readonly steps = new Agenda<RecordedSettlement>((a, b) => a.seq < b.seq);

  constructor(
    readonly subject: string,
    rules: ReplayRules,
  ) {
    this.replay = new SubjectReplay(rules);
  }

  settleBefore(seq: bigint): void {
    for (let next = this.steps.next; next && next.seq < seq; next = this.steps.next) {
      this.steps.take();
      this.replay.settle(next);
    }
  }
}

function byDecision(settlements: readonly RecordedSettlement[]): ReadonlyMap<string, readonly RecordedSettlement[]> {
  const groups = new Map<string, RecordedSettlement[]>();
  for (const settlement of settlements) {
    const decision = settlement.allowance ?? settlement.decision;
    const group = groups.get(decision);
    if (group) group.push(settlement);
    else groups.set(decision, [settlement]);
  }
  return groups;
}

function stepText({ seq, kind, minor, transactions, at }: RecordedSettlement): string {
  return `${seq} ${kind} ${minor} ${transactions ?? ''} ${at.toISOString()}`;
}
