import { describe, expect, it } from 'vitest';
import { candidateReferences } from './references.js';

const inText = (...texts: string[]) => candidateReferences({ others: [], texts }).map(({ value }) => value);

describe('references in free text', () => {
  it('are its words, without the tags before and the punctuation after them', () => {
    expect(inText('EREF+ORDER-1001, paid (see /ROC/ORDER-1002).', 'Thanks!')).toEqual(['ORDER-1001', 'ORDER-1002', 'Thanks']);
    expect(inText('REF:A.B:C.D..', 'x !?..!', '......')).toEqual(['A.B:C.D']);
  });

  it('are found in no time, whatever a bank writes', () => {
    // With a pattern that begins anew at each of these characters the test would run for minutes.
    const hostile = ')'.repeat(300_000);
    expect(inText(`${hostile}x ORDER-1003`)).toEqual(['ORDER-1003']);
  });
});
