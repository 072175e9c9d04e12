import type { ConsentTermsView } from '../../../src/api.js';

/** CREDIT_APPLICATION: `credit application`. */
export const wordsOf = (code: string): string => code.toLowerCase().replaceAll('_', ' ');

/** What is told, and nothing more. */
export function scopeText({ claims, threshold }: Pick<ConsentTermsView, 'claims' | 'threshold'>): string {
  if (threshold) return `whether the score is at least ${threshold.atLeast}`;
  return (claims ?? []).map((claim) => (claim === 'asOf' ? 'as of' : claim)).join(', ');
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** A length of time in the largest unit that tells it exactly. */
export function lifeText(seconds: number): string {
  const [unit, size] = UNITS.find(([, one]) => seconds % one === 0) ?? ['second', 1];
  const many = seconds / size;
  return `${many} ${unit}${many === 1 ? '' : 's'}`;
}
