import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PolicyLife } from './policy-life.js';
import { policyInput } from './testing/house-policy.js';
import { MemoryPolicyBook } from './testing/memory-policy-book.js';

const AT = new Date('2026-11-22T08:00:00.000Z');
const sha256Hex = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('adopting a policy', () => {
  const input = policyInput({ version: 1 });
  const open = () => {
    const book = new MemoryPolicyBook();
    return { book, life: new PolicyLife(book, sha256Hex) };
  };

  it('takes two persons: one drafts, the other approves and activates', async () => {
    const { book, life } = open();
    await life.adopt(input, { author: 'ann', approver: 'ben' }, AT);
    expect(await book.find(1n)).toMatchObject({ state: 'ACTIVE', author: 'ann', approver: 'ben', activatedBy: 'ben' });
  });

  it('is refused to one person, and leaves nothing', async () => {
    const { book, life } = open();
    await expect(life.adopt(input, { author: 'ann', approver: 'ann' }, AT)).rejects.toThrow('policy.four_eyes');
    expect([await book.find(1n), book.facts]).toEqual([undefined, []]);
  });

  it('is refused to one person also where two others drafted and approved it', async () => {
    const { book, life } = open();
    await life.adopt(input, { author: 'ann', approver: 'ben' }, AT);
    await expect(life.adopt(input, { author: 'eve', approver: 'eve' }, AT)).rejects.toThrow('policy.four_eyes');
    expect(await book.find(1n)).toMatchObject({ author: 'ann', approver: 'ben' });
  });

  it('again changes nothing', async () => {
    const { book, life } = open();
    await life.adopt(input, { author: 'ann', approver: 'ben' }, AT);
    const { facts } = book;
    await life.adopt(input, { author: 'ann', approver: 'ben' }, new Date(AT.getTime() + 60_000));
    expect(book.facts).toEqual(facts);
  });
});
