import { describe, expect, it } from 'vitest';
import { formatId, parseId } from '#kernel';
import { heldAt } from './trace-steps.js';

describe('a hold that nothing has settled', () => {
  const uuid = '01a2044e-0000-7000-8000-000000000001';
  const decision = parseId('dec', formatId('dec', { shard: 0, uuid }));

  it('was made when its decision was, however early its id was drawn: it never stands before the decision', () => {
    const at = new Date('2026-11-22T17:14:07.629Z');
    expect(heldAt({ reservation: uuid }, [{ decision, at }])).toBe(at);
  });

  it('tells its time by itself where the decision is not shown', () => {
    expect(heldAt({ reservation: uuid }, []).getTime()).toBe(0x01a2044e0000);
  });
});
