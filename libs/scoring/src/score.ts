import type { SubjectKind } from '#contract';
import { invariant } from '#kernel';
import { type Factor, floorDivide, type Indicators } from './indicators.js';
import { type Category, pointsMax, type Scorecard, scoreMax, scoreMin } from './scorecard.js';

/** Reasons given for one score; one more where inquiries weigh and are not among them (FCRA §615(a)). */
export const factorsMax = 4;
const weightSum = 1_000;

export interface Score {
  /** 350 to 950. */
  readonly value: number;
  /** Why it is not higher: what cost most stands first. */
  readonly factors: readonly Factor[];
}

interface Judged {
  readonly category: Category;
  /** Points lost against the best, weighted. */
  readonly loss: number;
  readonly factor: Factor;
}

/** Evaluates a scorecard in integer arithmetic: the same indicators give the same score everywhere and for ever. */
export function score(indicators: Indicators, kind: SubjectKind, scorecard: Scorecard): Score {
  const judged = scorecard.categories.map((category) => judge(category, indicators[category.indicator], kind));
  const loss = judged.reduce((sum, row) => sum + row.loss, 0);
  const value = scoreMax - ceilDivide(loss * (scoreMax - scoreMin), weightSum * pointsMax);
  invariant(value >= scoreMin && value <= scoreMax, `scorecard ${scorecard.version} stays within its scale`);
  return { value, factors: explain(judged) };
}

function judge(category: Category, value: number | undefined, kind: SubjectKind): Judged {
  const points = value === undefined ? category.unknown.points : pointsAt(category.knots, value);
  const { code, text } = value === undefined ? category.unknown : category.factor;
  return { category, loss: category.weight[kind] * (pointsMax - points), factor: { code, text } };
}

/** Points on the line through the knots. */
export function pointsAt(knots: Category['knots'], value: number): number {
  const right = knots.findIndex(([at]) => value <= at);
  if (right < 0) return knots.at(-1)![1];
  const [x1, y1] = knots[right]!;
  if (right === 0) return y1;
  const [x0, y0] = knots[right - 1]!;
  return y0 + floorDivide((value - x0) * (y1 - y0), x1 - x0);
}

function explain(judged: readonly Judged[]): Factor[] {
  const costly = judged.filter(({ loss }) => loss > 0).sort((a, b) => b.loss - a.loss);
  const inquiries = costly.slice(factorsMax).filter(({ category }) => category.indicator === 'inquiries');
  return [...costly.slice(0, factorsMax), ...inquiries].map(({ factor }) => factor);
}

function ceilDivide(value: number, by: number): number {
  return -floorDivide(-value, by);
}
