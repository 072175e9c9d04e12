import { describe, expect, it } from 'vitest';
import { afterPush, type Circuit, CLOSED } from './circuit.js';
import { judgeEcho, judgePush, type PushOutcome } from './push.js';

const at = new Date('2026-11-22T08:00:00.000Z');
const trouble: PushOutcome = { kind: 'TROUBLE', failure: { err: 'timeout' } };
const taken: PushOutcome = { kind: 'TAKEN' };
const refused: PushOutcome = { kind: 'REFUSED', failure: { err: 'no_such_customer' } };
const after = (...outcomes: PushOutcome[]) => outcomes.reduce<Circuit>((circuit, outcome) => afterPush(circuit, outcome, at, 0), CLOSED);

describe('an endpoint', () => {
  it('is well while it answers, also where it refuses', () => {
    expect(after(taken, refused, taken)).toBe(CLOSED);
  });

  it('may stumble twice', () => {
    expect(after(trouble, trouble)).toEqual({ failures: 2, failure: { err: 'timeout' } });
    expect(after(trouble, trouble, refused, trouble).failingSince).toBeUndefined();
  });

  it('gets one probe at a time from the third trouble in a row on, ever more seldom, and since when is not forgotten', () => {
    const failing = after(trouble, trouble, trouble);
    expect(failing).toMatchObject({ failures: 3, failingSince: at, nextTryAt: new Date(at.getTime() + 2_500) });
    const later = new Date(at.getTime() + 60_000);
    expect(afterPush(failing, trouble, later, 0)).toMatchObject({
      failures: 4,
      failingSince: at,
      nextTryAt: new Date(later.getTime() + 5_000),
    });
    expect(afterPush(failing, trouble, at, 0)).toBe(failing);
    expect(afterPush(failing, taken, later, 0)).toBe(CLOSED);
    expect(afterPush(failing, refused, later, 0)).toBe(CLOSED);
  });

  it('that asks for time gets it at once', () => {
    const busy: PushOutcome = { kind: 'TROUBLE', failure: { err: 'answer_unexpected' }, retryAfterSeconds: 90 };
    expect(after(busy)).toMatchObject({ failures: 1, failingSince: at, nextTryAt: new Date(at.getTime() + 90_000) });
  });
});

describe('an answer', () => {
  const answer = (status: number, body?: object) => judgePush({ status, body: body as never });

  it.each([
    [202, undefined, 'TAKEN'],
    [200, undefined, 'TROUBLE'],
    [204, undefined, 'TROUBLE'],
    [301, undefined, 'TROUBLE'],
    [400, undefined, 'TROUBLE'],
    [400, { err: '' }, 'TROUBLE'],
    [400, { err: 7 }, 'TROUBLE'],
    [400, { err: 'invalid_request' }, 'REFUSED'],
    [401, { err: 'authentication_failed' }, 'TROUBLE'],
    [500, { err: 'x' }, 'TROUBLE'],
    [503, undefined, 'TROUBLE'],
  ])('%d %j is %s', (status, body, kind) => {
    expect(answer(status, body).kind).toBe(kind);
  });

  it('has its words cut and cleaned before anybody of ours reads them', () => {
    const judged = answer(400, { err: `\u001b[31m${'e'.repeat(100)}`, description: `a\nb${'d'.repeat(1_000)}` });
    expect(judged).toMatchObject({ failure: { err: ` [31m${'e'.repeat(59)}` } });
    expect(judged.kind === 'REFUSED' && judged.failure.description).toHaveLength(500);
  });

  it('echoes a challenge only with 200 and the very words', () => {
    expect(judgeEcho({ status: 200, body: { challenge: 'abc' } }, 'abc').kind).toBe('TAKEN');
    expect(judgeEcho({ status: 202, body: { challenge: 'abc' } }, 'abc').kind).toBe('TROUBLE');
    expect(judgeEcho({ status: 200, body: { challenge: 'abd' } }, 'abc').kind).toBe('TROUBLE');
    expect(judgeEcho({ status: 200, body: undefined }, 'abc').kind).toBe('TROUBLE');
  });
});
