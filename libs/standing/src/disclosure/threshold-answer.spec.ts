import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsentUse } from '#consents';
import { RATING_THRESHOLDS } from '#contract';
import type { Refusal } from '#kernel';
import { BANDS, scoreMax, scoreMin } from '#scoring';
import type { ScoreForThreshold } from './rating.js';
import { answerReplayMs, giveAnswer, type GivenAnswer } from './threshold-answer.js';

const HOUR_MS = 3_600_000;
const known = (score: number, reported = true): ScoreForThreshold => ({ score, reported });
const use = (atMs: number, dataLifeSeconds: number) => ({ at: new Date(atMs), dataLifeSeconds }) as ConsentUse;
const scores = fc.integer({ min: scoreMin, max: scoreMax });
/** After a pause the attacker asks for a threshold, of any purpose and consent: only the pair counts. */
const asks = fc.array(
  fc.record({
    pauseMs: fc.integer({ min: 0, max: 60 * HOUR_MS }),
    atLeast: fc.constantFrom(...RATING_THRESHOLDS),
    lifeSeconds: fc.integer({ min: 60, max: 400_000 }),
  }),
  { maxLength: 40 },
);

/** What all the calls in their order told: when, up to when it may be held, and what. */
function play(
  calls: readonly { pauseMs: number; atLeast: number; lifeSeconds: number }[],
  scoreAt: (i: number) => number,
  isReported: (i: number) => boolean = () => true,
) {
  let [now, given]: [number, GivenAnswer | undefined] = [0, undefined];
  return calls.flatMap(({ pauseMs, atLeast, lifeSeconds }, i) => {
    now += pauseMs;
    try {
      const { answer, binds } = giveAnswer(given, { atLeast }, use(now, lifeSeconds), known(scoreAt(i), isReported(i)));
      given = binds ?? given;
      return [{ at: now, keepUntil: now + lifeSeconds * 1_000, atLeast, answer }];
    } catch (error) {
      expect(error).toMatchObject({ kind: 'precondition', code: 'consent.threshold' } satisfies Partial<Refusal>);
      return [];
    }
  });
}

describe('an attacker with any number of consents', () => {
  it('never holds the answers to two thresholds at once, and none to a second one within 24 h', () => {
    fc.assert(
      fc.property(asks, scores, (calls, score) => {
        const told = play(calls, () => score);
        for (const one of told) {
          const others = told.filter(
            ({ at, keepUntil }) => at >= one.at && (at < one.keepUntil || at < one.at + answerReplayMs) && keepUntil > one.at,
          );
          expect(new Set(others.map(({ atLeast }) => atLeast)).size).toBe(1);
        }
      }),
    );
  });

  it('hears nothing new of one threshold within 24 h, whatever the score does', () => {
    fc.assert(
      fc.property(asks, fc.array(scores, { minLength: 40, maxLength: 40 }), (calls, moving) => {
        const told = play(calls, (i) => moving[i]!);
        for (const [i, one] of told.entries()) {
          const next = told[i + 1];
          const first = told.findIndex(
            ({ at, answer, atLeast }) => atLeast === one.atLeast && answer === one.answer && at > one.at - answerReplayMs,
          );
          if (next && next.at < told[first]!.at + answerReplayMs) expect(next.answer).toBe(one.answer);
        }
      }),
    );
  });

  it('gains nothing by times in which nobody reports: what counts of a score it holds for one threshold only', () => {
    fc.assert(
      fc.property(
        asks,
        fc.array(scores, { minLength: 40, maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        (calls, moving, reported) => {
          const answers = play(
            calls,
            (i) => moving[i]!,
            (i) => reported[i]!,
          );
          const told = answers.filter(({ answer }) => answer !== 'NA');
          for (const one of told) {
            const others = told.filter(({ at }) => at >= one.at && (at < one.keepUntil || at < one.at + answerReplayMs));
            expect(new Set(others.map(({ atLeast }) => atLeast)).size).toBe(1);
          }
        },
      ),
    );
  });

  it('learns no more than the band in all eternity', () => {
    fc.assert(
      fc.property(asks, scores, (calls, score) => {
        const told = play(calls, () => score);
        const possible = (candidate: number) => told.every(({ atLeast, answer }) => (candidate >= atLeast ? 'Y' : 'N') === answer);
        const band = BANDS.findLast(({ minimumScore }) => minimumScore <= score)!;
        const next = BANDS[BANDS.indexOf(band) + 1]?.minimumScore ?? scoreMax + 1;
        expect([possible(band.minimumScore), possible(next - 1)]).toEqual([true, true]);
      }),
    );
  });
});

describe('the answer to a threshold', () => {
  it('binds for 24 h whenever it is told, also when it is told again', () => {
    const first = giveAnswer(undefined, { atLeast: 600 }, use(0, 60), known(350)).binds;
    const again = giveAnswer(first, { atLeast: 600 }, use(4 * HOUR_MS, 60), known(350)).binds!;
    expect([again.replayUntil.getTime(), again.boundUntil.getTime()]).toEqual([answerReplayMs, answerReplayMs + 4 * HOUR_MS]);
    expect(() => giveAnswer(again, { atLeast: 550 }, use(answerReplayMs, 60), known(350))).toThrow('another threshold');
  });

  it('may ask for where bands begin and for nothing else', () => {
    expect([...RATING_THRESHOLDS]).toEqual(BANDS.slice(1).map(({ minimumScore }) => minimumScore));
  });

  it.each([
    [650, true, 'Y'],
    [649, true, 'N'],
    [950, false, 'NA'],
  ] as const)('score %i, reported %s: %s', (score, reported, answer) => {
    expect(giveAnswer(undefined, { atLeast: 650 }, use(0, 60), known(score, reported)).answer).toBe(answer);
  });

  it('binds as long as it may be held, and says for how long', () => {
    const given = giveAnswer(undefined, { atLeast: 650 }, use(0, 2 * 86_400), known(700)).binds;
    const other = () => giveAnswer(given, { atLeast: 600 }, use(answerReplayMs, 60), known(700));
    expect(other).toThrow(expect.objectContaining({ hints: { retryAfterSeconds: 86_400 } }));
    expect(giveAnswer(given, { atLeast: 650 }, use(answerReplayMs, 60), known(600)).answer).toBe('N');
    expect(giveAnswer(given, { atLeast: 600 }, use(2 * answerReplayMs, 60), known(600)).answer).toBe('Y');
  });

  it('NA binds to nothing, and frees nothing that was bound', () => {
    expect(giveAnswer(undefined, { atLeast: 650 }, use(0, 60), known(700, false)).binds).toBeUndefined();
    const given = giveAnswer(undefined, { atLeast: 650 }, use(0, 3 * 86_400), known(700)).binds;
    const later = use(2 * answerReplayMs, 60);
    expect(giveAnswer(given, { atLeast: 650 }, later, known(700, false))).toEqual({ answer: 'NA' });
    expect(() => giveAnswer(given, { atLeast: 600 }, later, known(700, false))).toThrow('another threshold');
  });
});
