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

describe('the references of a line', () => {
  it('are asked in the order of their trust, each once, without those that say there is none', () => {
    const references = candidateReferences({
      endToEndId: 'E2E-1',
      others: [
        { kind: 'entry_reference', value: 'ENTRY-1' },
        { kind: 'transaction_id', value: 'TX-1' },
        { kind: 'account_servicer_reference', value: 'E2E-1' },
        { kind: 'instruction_id', value: 'INSTR-1' },
        { kind: 'creditor_reference', value: 'notprovided' },
      ],
      texts: ['for ORDER-1 and TX-1'],
    });
    expect(references.map(({ kind, value }) => `${kind} ${value}`)).toEqual([
      'end_to_end_id E2E-1',
      'instruction_id INSTR-1',
      'transaction_id TX-1',
      'entry_reference ENTRY-1',
      'remittance_text ORDER-1',
    ]);
  });

  it('have at most 35 characters, and at least six in free text', () => {
    const [fits, tooLong] = ['x'.repeat(35), 'y'.repeat(36)];
    expect(inText(fits, tooLong, 'short', 'enough')).toEqual([fits, 'enough']);
  });
});
