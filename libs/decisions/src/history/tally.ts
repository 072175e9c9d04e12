import { bandOf } from './amount-bands.js';
import { type Example, Examples } from './examples.js';
import { type Cell, inOrder, Matrix, MatrixBy, type Sum, Total } from './matrix.js';
import { NamePairs, type Pair } from './name-pairs.js';
import type { Redecision, Telling } from './redecide.js';

/** What re-deciding found, as JSON. Tallies of parts of a history add up to the tally of the whole, in any order. */
export interface TallyJson {
  readonly decisions: Sum;
  readonly firstAt?: string | undefined;
  readonly lastAt?: string | undefined;
  readonly matrix: readonly Cell[];
  readonly byTier: Readonly<Record<string, readonly Cell[]>>;
  /** By the band's floor in major units. */
  readonly byBand: Readonly<Record<string, readonly Cell[]>>;
  readonly differing: Differing;
  /** Minor units, over all decisions that were not denied. */
  readonly discount: { readonly was: string; readonly would: string };
  readonly reasons: Readonly<Record<string, Pair>>;
  /** How often a limit had no room. */
  readonly limits: Readonly<Record<string, Pair>>;
  /** Decisions by the version of the policy that took them. */
  readonly policyVersions: Readonly<Record<string, number>>;
  readonly assumed: Sum;
  readonly examples: readonly Example[];
}

/** Decisions that differ in their outcome, in what was computed (a service may not enforce it), in discount, in reasons, in the counters they found. */
export interface Differing {
  readonly outcome: number;
  readonly computed: number;
  readonly discount: number;
  readonly reasons: number;
  readonly counters: number;
}

/** Counts redecisions. */
export class Tally {
  private readonly decisions = new Total();
  private readonly assumed = new Total();
  private firstMs = Infinity;
  private lastMs = -Infinity;
  private readonly matrix = new Matrix();
  private readonly byTier = new MatrixBy();
  private readonly byBand = new MatrixBy();
  private readonly differing = { outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 };
  private readonly discount = { was: 0n, would: 0n };
  private readonly reasons = new NamePairs();
  private readonly limits = new NamePairs();
  private readonly policyVersions = new Map<string, number>();
  private readonly examples = new Examples();

  static of(json: TallyJson | undefined): Tally {
    const tally = new Tally();
    if (json) tally.merge(json);
    return tally;
  }

  add(redecision: Redecision): void {
    const { recorded, minor, was, would, assumed } = redecision;
    const { tier, currency } = recorded.details;
    this.decisions.add(1, minor);
    if (assumed) this.assumed.add(1, minor);
    this.see(recorded.at.getTime());
    for (const matrix of [this.matrix, this.byTier.at(tier), this.byBand.at(bandOf(minor, currency))])
      matrix.add(recorded.outcome, would.outcome, 1, minor);
    this.discount.was += was.discountMinor;
    this.discount.would += would.discountMinor;
    this.reasons.add(was.reasons, would.reasons);
    this.limits.add(was.bound, would.bound);
    this.countVersion(recorded.policyVersion.toString(), 1);
    this.compare(was, would);
    if (was.outcome !== would.outcome) this.examples.add(redecision);
  }

  merge(other: TallyJson): void {
    this.decisions.add(other.decisions.count, BigInt(other.decisions.minor));
    this.assumed.add(other.assumed.count, BigInt(other.assumed.minor));
    for (const at of [other.firstAt, other.lastAt]) if (at !== undefined) this.see(Date.parse(at));
    this.matrix.merge(other.matrix);
    this.byTier.merge(other.byTier);
    this.byBand.merge(other.byBand);
    for (const name of DIFFERENCES) this.differing[name] += other.differing[name];
    for (const side of ['was', 'would'] as const) this.discount[side] += BigInt(other.discount[side]);
    this.reasons.merge(other.reasons);
    this.limits.merge(other.limits);
    for (const [version, count] of Object.entries(other.policyVersions)) this.countVersion(version, count);
    this.examples.merge(other.examples);
  }

  toJson(): TallyJson {
    return {
      decisions: this.decisions.toJson(),
      ...(this.firstMs <= this.lastMs ? { firstAt: timeText(this.firstMs), lastAt: timeText(this.lastMs) } : {}),
      matrix: this.matrix.toJson(),
      byTier: this.byTier.toJson(),
      byBand: this.byBand.toJson(),
      differing: { ...this.differing },
      discount: { was: this.discount.was.toString(), would: this.discount.would.toString() },
      reasons: this.reasons.toJson(),
      limits: this.limits.toJson(),
      policyVersions: Object.fromEntries(inOrder(this.policyVersions)),
      assumed: this.assumed.toJson(),
      examples: this.examples.toJson(),
    };
  }

  private see(atMs: number): void {
    if (atMs < this.firstMs) this.firstMs = atMs;
    if (atMs > this.lastMs) this.lastMs = atMs;
  }

  private countVersion(version: string, count: number): void {
    this.policyVersions.set(version, (this.policyVersions.get(version) ?? 0) + count);
  }

  private compare(was: Telling, would: Telling): void {
    if (was.outcome !== would.outcome) this.differing.outcome++;
    if (was.computed !== would.computed) this.differing.computed++;
    if (was.discountMinor !== would.discountMinor) this.differing.discount++;
    if (!sameNames(was.reasons, would.reasons)) this.differing.reasons++;
    if (!sameCounters(was, would)) this.differing.counters++;
  }
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

const DIFFERENCES = ['outcome', 'computed', 'discount', 'reasons', 'counters'] as const;

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** Other limits are other counters, too. */
function sameCounters({ counters: a }: Telling, { counters: b }: Telling): boolean {
  return (
    a.length === b.length &&
    a.every(({ usedMinor, reservedMinor, taken, broken }, i) => {
      const other = b[i]!;
      return usedMinor === other.usedMinor && reservedMinor === other.reservedMinor && taken === other.taken && broken === other.broken;
    })
  );
}
