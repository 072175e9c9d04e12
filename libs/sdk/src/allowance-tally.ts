import type { AllowanceClaims, SpendResult } from '#contract';
import { parseMoney } from '#kernel';

/** A line of a spender's file. Whoever reads the file from its beginning comes to the same tally. */
export type TallyLine =
  | { readonly kind: 'granted'; readonly token: string }
  | { readonly kind: 'spent'; readonly id: string; readonly reference: string; readonly minor: string; readonly at: string }
  | { readonly kind: 'settled'; readonly results: readonly SpendResult[] }
  /** Nothing is spent after this line. */
  | { readonly kind: 'ended' };

export interface TalliedSpend {
  readonly id: string;
  readonly reference: string;
  readonly minor: bigint;
  readonly at: string;
  readonly settled: SpendResult | undefined;
}

/** What was spent of one allowance: the file's order decides, so two processes on one file cannot spend more than one. */
export class AllowanceTally {
  readonly spends = new Map<string, TalliedSpend>();
  token: string | undefined;
  ended = false;
  spentMinor = 0n;
  /** The latest moment at which somebody spent. */
  lastAtMs = 0;
  private readonly amountMinor: bigint;

  constructor(private readonly claims: AllowanceClaims) {
    this.amountMinor = parseMoney(claims.amount).minor;
  }

  get leftMinor(): bigint {
    return this.amountMinor - this.spentMinor;
  }

  get spendsLeft(): number {
    return this.claims.spends - this.spends.size;
  }

  /** Whether a part of this amount still fits. */
  hasRoom(minor: bigint): boolean {
    return !this.ended && minor > 0n && minor <= this.leftMinor && this.spendsLeft > 0;
  }

  /** A line that does not fit any more is as if it had not been written: whoever wrote it sees that and says no. */
  apply(line: TallyLine): void {
    if (line.kind === 'granted') this.token ??= line.token;
    else if (line.kind === 'ended') this.ended = true;
    else if (line.kind === 'spent') this.spend(line);
    else line.results.forEach((result) => this.settle(result));
  }

  private spend({ id, reference, minor: text, at }: Extract<TallyLine, { kind: 'spent' }>): void {
    const minor = BigInt(text);
    if (this.spends.has(reference) || !this.hasRoom(minor)) return;
    this.spends.set(reference, { id, reference, minor, at, settled: undefined });
    this.spentMinor += minor;
    this.lastAtMs = Math.max(this.lastAtMs, Date.parse(at));
  }

  private settle(settled: SpendResult): void {
    const known = this.spends.get(settled.paymentReference);
    if (known) this.spends.set(known.reference, { ...known, settled });
  }
}
