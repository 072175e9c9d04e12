import { invariant } from '#kernel';
import type { Policy } from '#policies';
import type { DecisionHistory, HistoryEvent } from './decision-history.js';
import { type ReplayRules, SubjectReplay } from './redecide.js';
import type { ShadowChange, ShadowShelf, ShadowStore, ShadowTask } from './shadow.js';
import { liveUntilOf, SimulatedCounters, type SimulatedHold, type SimulatedUsage } from './simulated-counters.js';
import { Tally } from './tally.js';

export const SHADOW_LIMITS = {
  eventsPerStep: 500,
  /** So that one busy shadow does not keep the others waiting. */
  stepsPerTask: 20,
  historyRowsPerPage: 1_000,
  clearedSubjectsPerStep: 5_000,
};

export interface ShadowPolicies {
  find(version: bigint): Promise<Policy | undefined>;
}

/**
 * Lets versions in shadow decide what was recorded since, a moment later, with counters of their own. What is found, the counters and the
 * cursor are saved in one transaction: every decision is counted once, whoever dies and however many follow.
 */
export class ShadowFollower {
  private readonly compiled = new Map<bigint, Policy>();

  constructor(
    private readonly store: ShadowStore,
    private readonly history: DecisionHistory,
    private readonly policies: ShadowPolicies,
  ) {}

  /** Follows every shadow to where its shards are now. Answers how many events it took. The first failure is thrown when all have had their turn. */
  async run(): Promise<number> {
    let taken = 0;
    const failures: unknown[] = [];
    for (const task of await this.store.behind()) {
      try {
        for (let step = 0; step < SHADOW_LIMITS.stepsPerTask; step++) {
          const done = await this.store.transaction(task, (shelf) => this.step(task, shelf));
          taken += done?.events ?? 0;
          if (!done?.goesOn) break;
        }
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return taken;
  }

  private async step({ shard, version }: ShadowTask, shelf: ShadowShelf): Promise<{ events: number; goesOn: boolean }> {
    const { seq, endedAfter, tally: before } = shelf.cursor;
    const head = (await this.history.heads()).get(shard) ?? seq;
    const until = endedAfter !== undefined && endedAfter < head ? endedAfter : head;
    if (seq >= until) return { events: 0, goesOn: endedAfter === seq && (await shelf.clear(SHADOW_LIMITS.clearedSubjectsPerStep)) };
    const { events, readTo } = await this.history.between(shard, seq, until, SHADOW_LIMITS.eventsPerStep);
    const tally = Tally.of(before);
    const step = new ShadowStep(shard, rulesOf(await this.policy(version)), { shelf, history: this.history });
    const change = await step.take(events, tally, readTo);
    await shelf.save(change);
    await shelf.moveTo(readTo, events.length > 0 ? tally.toJson() : before);
    return { events: events.length, goesOn: readTo < until || endedAfter === readTo };
  }

  private async policy(version: bigint): Promise<Policy> {
    const known = this.compiled.get(version) ?? (await this.policies.find(version));
    invariant(known, `version ${version} is in shadow, so it is kept`);
    this.compiled.set(version, known);
    return known;
  }
}

function rulesOf(policy: Policy): ReplayRules {
  return { policyFor: () => policy, assume: 'CONFIRMED', begin: 'CONTINUE' };
}

interface Sources {
  readonly shelf: ShadowShelf;
  readonly history: DecisionHistory;
}

/** Some events of one shard, taken in order. */
class ShadowStep {
  private readonly replays = new Map<string, SubjectReplay>();
  /** How rows and holds stood when they were read. */
  private readonly stood = new Map<SimulatedUsage | SimulatedHold, string>();
  private readonly loadedHolds = new Set<string>();

  constructor(
    private readonly shard: ShadowTask['shard'],
    private readonly rules: ReplayRules,
    private readonly sources: Sources,
  ) {}

  async take(events: readonly HistoryEvent[], tally: Tally, readTo: bigint): Promise<ShadowChange> {
    const subjects = [...new Set(events.map(({ subject }) => subject))];
    const known = await this.sources.shelf.known(subjects);
    const firsts = firstDecisions(events.filter(({ subject }) => !known.has(subject)));
    await this.restore(
      subjects.filter((subject) => known.has(subject)),
      events,
    );
    await this.bringIn(firsts, readTo);
    for (const event of events) this.apply(event, firsts, tally);
    return this.change([...firsts.keys()], events);
  }

  private apply(event: HistoryEvent, firsts: ReadonlyMap<string, bigint>, tally: Tally): void {
    const replay = this.replays.get(event.subject);
    // Before a subject's first decision under the shadow everything of it is history, which `bringIn` has counted.
    if (!replay || event.seq < (firsts.get(event.subject) ?? 0n)) return;
    if (event.type === 'settlement') replay.settle(event.settlement);
    else tally.add(replay.decide(event.decision));
  }

  private async restore(subjects: readonly string[], events: readonly HistoryEvent[]): Promise<void> {
    if (subjects.length === 0) return;
    const named = events.flatMap((event) => (event.type === 'settlement' ? [event.settlement.decision] : []));
    const { usage, holds } = await this.sources.shelf.load(subjects, named, timeOf(events[0]!));
    for (const subject of subjects) {
      const counters = new SimulatedCounters();
      const [rows, open] = [usage.get(subject) ?? [], holds.get(subject) ?? []];
      for (const row of rows) this.stood.set(row, usageText(row));
      for (const hold of open) {
        this.stood.set(hold, holdText(hold));
        this.loadedHolds.add(hold.decision);
      }
      counters.restore(rows, open);
      this.replays.set(subject, new SubjectReplay(this.rules, counters));
    }
  }

  /** Counts what really counted before each subject's first decision under the shadow. */
  private async bringIn(firsts: ReadonlyMap<string, bigint>, readTo: bigint): Promise<void> {
    const { history } = this.sources;
    for (const subject of firsts.keys()) this.replays.set(subject, new SubjectReplay(this.rules));
    const only = [...firsts.keys()];
    let after: { subject: string; seq: bigint } | undefined;
    const steps: HistoryEvent[] = [];
    while (only.length > 0) {
      const page = { ...(after && { after }), countMax: SHADOW_LIMITS.historyRowsPerPage, only };
      const rows = await history.bySubject(this.shard, readTo, page);
      const earlier = rows.filter(({ subject, seq, expiresAt }) => seq < firsts.get(subject)! && expiresAt !== undefined);
      const owner = new Map(earlier.map(({ decision, subject }) => [decision, subject]));
      steps.push(...earlier.map((decision) => ({ type: 'decision', seq: decision.seq, subject: decision.subject, decision }) as const));
      for (const settlement of await history.settlementsOf(this.shard, [...owner.keys()], readTo)) {
        const subject = owner.get(settlement.allowance ?? settlement.decision)!;
        if (settlement.seq < firsts.get(subject)!) steps.push({ type: 'settlement', seq: settlement.seq, subject, settlement });
      }
      const last = rows.at(-1);
      if (!last || rows.length < page.countMax) break;
      after = last;
    }
    for (const event of steps.sort((a, b) => (a.seq < b.seq ? -1 : 1))) {
      const replay = this.replays.get(event.subject)!;
      if (event.type === 'decision') replay.follow(event.decision);
      else replay.settle(event.settlement);
    }
  }

  /** Rows and holds that changed and still matter at the end of these events. */
  private change(newSubjects: readonly string[], events: readonly HistoryEvent[]): ShadowChange {
    const last = events.at(-1);
    const atMs = last ? timeOf(last).getTime() : 0;
    const usage: ShadowChange['usage'][number][] = [];
    const holds: ShadowChange['holds'][number][] = [];
    const ended = new Set(this.loadedHolds);
    for (const [subject, { counters }] of this.replays) {
      for (const row of [...counters.usage.values()].flatMap((rows) => [...rows.values()]))
        if (row.liveUntilMs > atMs && this.stood.get(row) !== usageText(row)) usage.push({ ...row, subject });
      for (const hold of counters.holds.values()) {
        if (liveUntilOf(hold) <= atMs) continue;
        ended.delete(hold.decision);
        if (this.stood.get(hold) !== holdText(hold)) holds.push({ ...hold, subject });
      }
    }
    return { newSubjects, usage, holds, endedHolds: [...ended], at: last && timeOf(last) };
  }
}

function firstDecisions(events: readonly HistoryEvent[]): ReadonlyMap<string, bigint> {
  const firsts = new Map<string, bigint>();
  for (const { type, subject, seq } of events) if (type === 'decision' && !firsts.has(subject)) firsts.set(subject, seq);
  return firsts;
}

function timeOf(event: HistoryEvent): Date {
  return event.type === 'decision' ? event.decision.at : event.settlement.at;
}

function usageText({ usedMinor, reservedMinor, usedCount, reservedCount }: SimulatedUsage): string {
  return [usedMinor, reservedMinor, usedCount, reservedCount].join(':');
}

function holdText({ state, leftMinor, transactions, spentMinor }: SimulatedHold): string {
  return [state, leftMinor, transactions, spentMinor].join(':');
}
