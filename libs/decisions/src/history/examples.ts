import type { Outcome } from '#contract';
import { formatId } from '#kernel';
import { inOrder } from './matrix.js';
import type { Redecision, WouldBe } from './redecide.js';

/** A decision that would have had another outcome, and why. */
export interface Example {
  readonly decision: string;
  readonly subject: string;
  readonly at: string;
  readonly service: string;
  readonly tier: string;
  readonly minor: string;
  readonly was: Outcome;
  readonly would: WouldBe;
  readonly wasReasons: readonly string[];
  readonly wouldReasons: readonly string[];
}

/** Of every kind of change, the largest amounts are kept. */
const examplesPerCellMax = 5;

export class Examples {
  private readonly byChange = new Map<string, readonly Example[]>();

  add(redecision: Redecision): void {
    const { recorded, minor, would } = redecision;
    const smallest = this.kept(recorded.outcome, would.outcome)[examplesPerCellMax - 1];
    if (smallest === undefined || minor >= BigInt(smallest.minor)) this.keep(exampleOf(redecision));
  }

  merge(others: readonly Example[]): void {
    for (const example of others) this.keep(example);
  }

  toJson(): Example[] {
    return inOrder(this.byChange).flatMap(([, examples]) => examples);
  }

  private keep(example: Example): void {
    const { was, would } = example;
    const all = [...this.kept(was, would), example].sort((a, b) => (isRather(a, b) ? -1 : 1));
    this.byChange.set(`${was} ${would}`, all.slice(0, examplesPerCellMax));
  }

  private kept(was: Outcome, would: WouldBe): readonly Example[] {
    return this.byChange.get(`${was} ${would}`) ?? [];
  }
}

/** The larger amount is the better example; of equal ones the smaller id, so that the choice is the same every time. */
function isRather(a: Example, b: Example): boolean {
  return a.minor === b.minor ? a.decision < b.decision : BigInt(a.minor) > BigInt(b.minor);
}

function exampleOf({ recorded, minor, was, would }: Redecision): Example {
  const { shard, decision, subject, at, outcome, details } = recorded;
  return {
    decision: formatId('dec', { shard, uuid: decision }),
    subject: formatId('sub', { shard, uuid: subject }),
    at: at.toISOString(),
    service: details.service,
    tier: details.tier,
    minor: minor.toString(),
    was: outcome,
    would: would.outcome,
    wasReasons: was.reasons,
    wouldReasons: would.reasons,
  };
}
