import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMinor } from '#kernel';
import { compileRule, readExpression } from './rule.js';
import { MomentView, MoneyView, RequestView, type RuleContext, SubjectView } from './rule-language.js';

function context(change: { score?: number; minor?: bigint; counterparty?: string; restrictions?: string[] } = {}): RuleContext {
  const { score = 640, minor = 19_900n, counterparty, restrictions = [] } = change;
  return {
    subject: new SubjectView('MERCHANT', BigInt(score), 'GOOD', restrictions),
    request: new RequestView({ service: 'checkout', counterparty, mode: 'RESERVE' }, new MoneyView(minor)),
    at: new MomentView({ year: 2026, month: 3, day: 8, hour: 23, weekday: 7 }),
  };
}

const rule = (when: string) => compileRule({ id: 'r', when, then: 'DENY', reason: { code: 'x', text: 'x' } }, 'CNY');
const applies = (when: string, change?: Parameters<typeof context>[0]) => rule(when).applies(context(change));
const faults = (when: string, currency = 'CNY') => {
  const read = readExpression(when, currency);
  return 'faults' in read ? read.faults : [];
};

describe('a rule', () => {
  it.each<[when: string, expected: boolean]>([
    ['request.amount > money("199.00")', false],
    ['request.amount >= money("199")', true],
    ['request.amount == money("199.0")', true],
    ['request.amount != money("199.01")', true],
    ['request.amount + money("0.01") > money("199.00")', true],
    ['request.amount - money("200.00") < money("0")', true],
    ['request.amount in [money("1"), money("199.00")]', true],
    ['subject.score < 650 && subject.tier in ["GOOD", "BASIC"]', true],
    ['subject.kind == "MERCHANT" || 1 / 0 == 1', true],
    ['"FRAUD" in subject.restrictions', false],
    ['size(subject.restrictions) == 0', true],
    ['request.counterparty == "" && request.channel == "" && request.mode == "RESERVE"', true],
    ['request.service.startsWith("check") ? at.weekday == 7 : false', true],
    ['at.date >= "2026-03-01" && at.month == 3 && at.day == 8 && (at.hour >= 23 || at.hour < 5)', true],
    ['-subject.score % 100 == -40 && !(subject.score * 2 > 1280)', true],
  ])('%s is %s', (when, expected) => {
    expect(applies(when)).toBe(expected);
  });

  it.each<[name: string, when: string, offset: number, words: RegExp]>([
    ['money compared with a decimal number', 'request.amount > 199.0', 17, /money\("…"\)/],
    ['a score compared with one', 'subject.score > 5 && subject.score < 600.5', 37, /not exact/],
    ['money compared with a whole number', 'request.amount > 199', 0, /Money > int.*money\("199.00"\)/],
    ['money made of a decimal number', 'request.amount > money(199.00)', 17, /one string/],
    ['an amount finer than the currency', 'request.amount > money("0.001")', 23, /decimals|precis/i],
    ['an amount that is put together', 'request.amount > money("1" + "9")', 17, /one string/],
    ['an unknown name', 'subject.score > 1 && amount > 1', 21, /amount.*subject, request, at/],
    ['an unknown field', 'request.amuont > money("1")', 8, /amuont.*request has service, amount/],
    ['half an expression', 'subject.score >', 15, /unexpected token/i],
    ['a number as its answer', 'subject.score + 1', 0, /true or false.*int/],
    ['money as its answer', 'request.amount', 0, /true or false/],
    ['a loop', 'subject.restrictions.exists(r, r == "X")', 20, /no method "exists"/],
    ['a pattern', 'request.service.matches("(a+)+$")', 15, /no method "matches"/],
    ['a clock', 'timestamp("2026-01-01T00:00:00Z") < timestamp("2027-01-01T00:00:00Z")', 0, /no function "timestamp"/],
    ['a way around types', 'dyn(request.amount) == 1', 0, /no function "dyn"/],
    ['a conversion to what is not exact', 'double(subject.score) > double("1e3")', 0, /no function "double"/],
    ['a question whether a field is there', 'has(request.channel)', 0, /no function "has"/],
    ['a map', '{"a": 1} == {"a": 2}', 0, /"map" is not part/],
    ['an index', 'subject.restrictions[0] == "X"', 20, /not part/],
    ['nothing', 'subject.kind == null', 16, /literals/],
    ['unsigned numbers', 'subject.score > 5u', 16, /literals/],
    ['mixed lists', 'subject.tier in ["GOOD", 1]', 25, /same type/],
    ['too many parts', Array.from({ length: 60 }, () => 'subject.score > 1').join(' && '), 0, /maxAstNodes|costs/],
    ['too deep a nest', `${'('.repeat(40)}true${')'.repeat(40)}`, 24, /maxDepth/],
    ['too long a list', `subject.score in [${Array.from({ length: 101 }, (_, i) => i).join()}]`, 0, /maxListElements/],
    ['too many searches', Array.from({ length: 30 }, () => '"X" in subject.restrictions').join(' || '), 0, /costs \d+; 250/],
  ])('is refused with %s', (_name, when, offset, words) => {
    const [fault] = faults(when);
    expect(fault?.message).toMatch(words);
    if (offset > 0) expect(fault?.offset).toBe(offset);
  });

  it('has no value where CEL has none', () => {
    expect(() => applies('subject.score / (subject.score - 640) > 1')).toThrow(expect.objectContaining({ code: 'division_by_zero' }));
    expect(() => applies('subject.score * 9223372036854775807 > 1')).toThrow(expect.objectContaining({ code: 'numeric_overflow' }));
  });

  it('says what it looks at', () => {
    expect(rule('at.hour > 3 && subject.kind == "MERCHANT"').reads).toEqual({ hour: true, day: false });
    expect(rule('at.weekday > 5').reads).toEqual({ hour: false, day: true });
    expect(rule('subject.score > 5').reads).toEqual({ hour: false, day: false });
  });

  it('compares money exactly, whatever the amounts', () => {
    const minor = fc.bigInt({ min: 0n, max: 1_000_000_000_000_000n });
    fc.assert(
      fc.property(minor, minor, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), (asked, bound, operator) => {
        const expected = {
          '<': asked < bound,
          '<=': asked <= bound,
          '>': asked > bound,
          '>=': asked >= bound,
          '==': asked === bound,
          '!=': asked !== bound,
        }[operator];
        const when = `request.amount ${operator} money("${formatMinor(bound, 'CNY')}")`;
        expect(applies(when, { minor: asked })).toBe(expected);
      }),
    );
  });

  it('is what the type checker says or is refused: whatever the text, nothing else is thrown', () => {
    const pieces = fc.constantFrom(
      ...[
        'subject',
        '.',
        'score',
        'request',
        'amount',
        '>',
        '==',
        '&&',
        '||',
        '!',
        '(',
        ')',
        '[',
        ']',
        'money',
        '"1.00"',
        '199.0',
        '7',
        ' in ',
        ',',
      ],
      ...['at', 'hour', '?', ':', '{', '}', '-', 'x', '\\', '\n', '"', "'", 'null', 'true', '😀'],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const read = readExpression(parts.join(''), 'CNY');
        if ('faults' in read) expect(read.faults.length).toBeGreaterThan(0);
        else expect(typeof read.run(context())).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
