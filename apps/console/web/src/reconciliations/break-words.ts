/** CONTRACT.md §8: "ours" is what the platform confirmed, "theirs" what the statement says. */
const WORDS: Readonly<Record<string, string>> = {
  MISSING_OURS: 'on the statement only',
  MISSING_THEIRS: 'missing on the statement',
  OVER_AMOUNT: 'over the amount',
  UNDER_AMOUNT: 'under the amount',
  CURRENCY_MISMATCH: 'in another currency',
  DATA_MISMATCH: 'with other data',
  DUPLICATE: 'twice',
  LATE: 'late',
};

export function breakText(kind: string): string {
  return WORDS[kind] ?? kind.toLowerCase().replaceAll('_', ' ');
}
