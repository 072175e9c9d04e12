import type { PolicyDocument, ServiceDocument } from '../document.js';

export interface Tier {
  readonly name: string;
  readonly minimumScore: number;
  /** The highest score of this tier. */
  readonly maximumScore: number;
}

const HIGHEST_SCORE = 950;

/** Lowest first, each ending where the next begins. */
export function tiersOf(document: PolicyDocument): Tier[] {
  const ascending = [...document.tiers].sort((a, b) => a.minimumScore - b.minimumScore);
  return ascending.map(({ name, minimumScore }, i) => {
    const next = ascending[i + 1];
    return { name, minimumScore, maximumScore: next ? next.minimumScore - 1 : HIGHEST_SCORE };
  });
}

/** Whether some score of the tier is enough for the service, and the service asks at all. */
export function reaches(tier: Tier, { minimumScore = 0, mode }: ServiceDocument): boolean {
  return mode !== 'off' && tier.maximumScore >= minimumScore;
}
