import { describe, expect, it } from 'vitest';
import { giveWay, SmallCalls } from './give-way.js';

/** Takes ten pieces, 3 ms of work each. @returns how long it rested, and which pieces it was handed */
async function taken(beforePiece: (calls: SmallCalls, piece: number) => void): Promise<{ rests: number[]; pieces: number[] }> {
  let nowMs = 1_000;
  const calls = new SmallCalls(() => nowMs);
  const rests: number[] = [];
  const rest = async (ms: number) => {
    rests.push(ms);
    nowMs += ms;
  };
  const body = async function* () {
    for (let piece = 1; piece <= 10; piece++) {
      // The network takes its time: that is no work of ours.
      nowMs += 50;
      beforePiece(calls, piece);
      yield piece;
    }
  };
  const pieces: number[] = [];
  for await (const piece of giveWay(body(), calls, rest)) {
    pieces.push(piece);
    nowMs += 3;
  }
  return { rests, pieces };
}

describe('a large body', () => {
  it('is taken without a rest while nobody else calls', async () => {
    expect(await taken(() => undefined)).toEqual({ rests: [], pieces: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
  });

  it('rests several times as long as it worked while others call', async () => {
    const { rests, pieces } = await taken((calls) => calls.arrive());
    expect(rests).toEqual(Array(10).fill(24));
    expect(pieces).toHaveLength(10);
  });

  it('goes on at full speed a moment after the last call', async () => {
    expect((await taken((calls, piece) => piece === 1 && calls.arrive())).rests).toEqual([24, 24, 24, 24]);
  });
});
