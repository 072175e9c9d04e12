import type { Reference, ReferenceKind, References } from './statement.js';

/** CONTRACT.md §5: a payment reference has at most 35 characters, like EndToEndId. */
const referenceCharsMax = 35;
const candidatesMax = 32;
const textWordCharsMin = 6;

/** What banks write where there is no reference (EPC and SWIFT usage). */
const NO_REFERENCE = new Set(['NOTPROVIDED', 'NONREF', 'NOREF', 'NONE', 'N/A']);

const ORDER: readonly ReferenceKind[] = [
  'end_to_end_id',
  'instruction_id',
  'transaction_id',
  'creditor_reference',
  'account_servicer_reference',
  'payment_information_id',
  'entry_reference',
  'remittance_text',
];

/** A payment reference that a line may bear, most trustworthy first: EndToEndId, then other identifiers, then words of its text. */
export function candidateReferences(references: References): Reference[] {
  const named = [...references.others].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const first: Reference[] = references.endToEndId === undefined ? [] : [{ kind: 'end_to_end_id', value: references.endToEndId }];
  const words = references.texts.flatMap(wordsOf).map((value): Reference => ({ kind: 'remittance_text', value }));
  const seen = new Set<string>();
  return [...first, ...named, ...words].filter((candidate) => isUsable(candidate.value, seen)).slice(0, candidatesMax);
}

function isUsable(value: string, seen: Set<string>): boolean {
  if (value.length > referenceCharsMax || NO_REFERENCE.has(value.toUpperCase()) || seen.has(value)) return false;
  seen.add(value);
  return true;
}

/** Words of free text, without the tags (`EREF+`, `/EREF/`) that banks put before a reference and without closing punctuation. */
function wordsOf(text: string): string[] {
  return text
    .split(/[\s,;|]+/)
    .map((word) => withoutClosing(word.replace(/^(\/?(EREF|ROC|RFB|REF)[+:/])/i, '')))
    .filter((word) => word.length >= textWordCharsMin);
}

/** Not by a pattern: one that ends in `+$` takes the square of the length of "......x", and a bank writes the text. */
function withoutClosing(word: string): string {
  let end = word.length;
  while (end > 0 && '.:!?)]'.includes(word[end - 1]!)) end--;
  return word.slice(0, end);
}
