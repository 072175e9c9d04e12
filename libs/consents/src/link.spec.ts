import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { createLink, endLink, type Link } from './link.js';

const at = new Date('2026-11-21T08:00:00.000Z');
const subject = { shard: 5, uuid: '01939a6e-7a00-7abc-8def-000000000001' } as const;
const refUuid = '01939a6e-7a00-7abc-8def-00000000000b';
const active: Link = { ref: { shard: 5, uuid: refUuid }, subject, participant: 'bank-a', customerReference: 'c-1', createdAt: at };

describe('linking a subject to a participant', () => {
  const rows: [known: Link[], customerReference: string | undefined, result: 'created' | 'stands' | 'link.exists'][] = [
    [[], 'c-1', 'created'],
    [[], undefined, 'created'],
    [[active], 'c-1', 'stands'],
    [[active], 'c-2', 'link.exists'],
    [[active], undefined, 'link.exists'],
    [[{ ...active, endedAt: at }], 'c-1', 'created'],
    [[{ ...active, participant: 'bank-b' }], 'c-2', 'created'],
  ];

  it.each(rows)('%#: knowing %j, asked with %s: %s', (known, customerReference, result) => {
    const fresh = '01939a6e-7a00-7abc-8def-00000000000c';
    expect(outcome(() => createLink(known, subject, { participant: 'bank-a', customerReference }, fresh, at))).toBe(result);
  });

  it('puts the reference on the shard of the subject, and no customer reference into the fact', () => {
    const { link, fact } = createLink([], subject, { participant: 'bank-a', customerReference: 'c-1' }, refUuid, at);
    expect(link.ref).toEqual({ shard: 5, uuid: refUuid });
    expect(JSON.stringify(fact)).not.toContain('c-1');
  });

  it('ends once', () => {
    const { link, fact } = endLink(active, at);
    expect([link.endedAt, fact?.kind]).toEqual([at, 'link.ended']);
    expect(endLink(link, new Date(0))).toEqual({ link });
  });
});

function outcome(run: () => ReturnType<typeof createLink>): string {
  try {
    return run().fact ? 'created' : 'stands';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}
