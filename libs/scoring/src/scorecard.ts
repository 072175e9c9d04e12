import type { SubjectKind } from '#contract';
import type { Factor, IndicatorName } from './indicators.js';

export const scoreMin = 350;
export const scoreMax = 950;
/** Points of one category: 0 is worst, 1000 best. */
export const pointsMax = 1_000;

/** The bands of the 350–950 scale; a policy's tiers start at them. */
export const BANDS = [
  { name: 'LIMITED', minimumScore: scoreMin },
  { name: 'BASIC', minimumScore: 550 },
  { name: 'GOOD', minimumScore: 600 },
  { name: 'TRUSTED', minimumScore: 650 },
  { name: 'EXCELLENT', minimumScore: 700 },
] as const;

/** One category: an indicator, what it is worth and how it is explained. */
export interface Category {
  readonly indicator: IndicatorName;
  /** Shares of 1000 per kind of subject. */
  readonly weight: Readonly<Record<SubjectKind, number>>;
  /** (value, points), values ascending; between two knots points run in a straight line, outside they stay. */
  readonly knots: readonly (readonly [value: number, points: number])[];
  /** Points and explanation where the indicator is unknown. */
  readonly unknown: { readonly points: number } & Factor;
  readonly factor: Factor;
}

/** A scorecard is data. `hash` is SHA-256 over the canonical form (RFC 8785) of `{ version, categories }`. */
export interface Scorecard {
  readonly version: string;
  readonly hash: string;
  readonly categories: readonly Category[];
}
