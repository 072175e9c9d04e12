import { describe, expect, it } from 'vitest';
import { acksTogetherMax, ackWaitMsMax, SettleAcks } from './settle-acks.js';

const at = (ms: number) => new Date(ms);

function settling(write: (ids: readonly string[]) => Promise<void> = () => Promise.resolve()) {
  const written: string[][] = [];
  const acks = new SettleAcks(async (ids) => {
    written.push([...ids]);
    await write(ids);
  });
  return { acks, written };
}

describe('acknowledgements', () => {
  it('are written together, and all of them at the end', async () => {
    const { acks, written } = settling();
    for (let i = 0; i < acksTogetherMax + 3; i++) acks.add(String(i), at(0));
    expect(written.map(({ length }) => length)).toEqual([acksTogetherMax]);
    await acks.settled();
    expect(written.map(({ length }) => length)).toEqual([acksTogetherMax, 3]);
  });

  it('of a slow receiver do not wait for company', async () => {
    const { acks, written } = settling();
    acks.add('a', at(0));
    acks.add('b', at(ackWaitMsMax - 1));
    expect(written).toEqual([]);
    acks.add('c', at(ackWaitMsMax));
    expect(written).toEqual([['a', 'b', 'c']]);
    await acks.settled();
    expect(written).toHaveLength(1);
  });

  it('that come while others are written go with the next', async () => {
    let done: () => void = () => undefined;
    const { acks, written } = settling(() => new Promise((resolve) => (done = resolve)));
    for (let i = 0; i < 2 * acksTogetherMax; i++) acks.add(String(i), at(0));
    const settled = acks.settled();
    expect(written.map(({ length }) => length)).toEqual([acksTogetherMax]);
    done();
    await new Promise(setImmediate);
    expect(written.map(({ length }) => length)).toEqual([acksTogetherMax, acksTogetherMax]);
    done();
    await settled;
  });

  it('that could not be written are told at the end, and the others are written still', async () => {
    const { acks, written } = settling((ids) => (ids.includes('0') ? Promise.reject(new Error('gone')) : Promise.resolve()));
    for (let i = 0; i < acksTogetherMax; i++) acks.add(String(i), at(0));
    acks.add('late', at(0));
    await expect(acks.settled()).rejects.toThrow('gone');
    expect(written.at(-1)).toEqual(['late']);
  });
});
