import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../compile.js';
import { parsePolicy, type PolicyInput } from '../document.js';
import { policyInput } from '../testing/house-policy.js';
import { lintPolicy } from './lint-policy.js';

type Limit = NonNullable<PolicyInput['limits']>[number];
type Service = PolicyInput['services'][number];

const DAY: Limit = { id: 'day', window: 'DAY', scope: 'SUBJECT', amount: '1000.00' };
const service = (change: Partial<Service> = {}): Service => ({ name: 'shop', mode: 'enforce', limits: [DAY], ...change });
const limits = (...changes: Partial<Limit>[]): PolicyInput =>
  plain({ services: [service({ limits: changes.map((change, i) => ({ ...DAY, id: `l${i}`, ...change })) })] });

/** A policy with nothing to say against it; change one thing, expect one finding. */
function plain(change: object = {}): PolicyInput {
  return policyInput({ limits: [], services: [service()], discounts: [], ...change });
}

const found = (policy: object) => lintPolicy(JSON.stringify(policy)).map(({ code, pointer }) => [code, pointer]);
const twice = <T>(one: T): [T, T] => [one, one];

describe('the linter', () => {
  it.each<[name: string, policy: object, ...findings: [code: string, pointer: string][]]>([
    ['a plain policy', plain()],
    ['the house policy', policyInput()],
    ['an unknown field', plain({ extra: 1 }), ['policy.unknown_field', '/extra']],
    [
      'unknown fields deep inside',
      limits({ amuont: '1', conut: 1 } as object),
      ['policy.unknown_field', '/services/0/limits/0/amuont'],
      ['policy.unknown_field', '/services/0/limits/0/conut'],
    ],
    ['a number for an amount', limits({ amount: 5 as unknown as string }), ['policy.malformed', '/services/0/limits/0/amount']],
    ['a missing field', { ...plain(), timeZone: undefined }, ['policy.malformed', '/timeZone']],
    ['no object at all', [], ['policy.malformed', '']],
    ['an unknown currency', plain({ currency: 'XQQ' }), ['policy.inconsistent', '/currency']],
    ['an unknown zone', plain({ timeZone: 'Mars/Olympus' }), ['policy.inconsistent', '/timeZone']],
    ['too many decimals', limits({ amount: '1.001' }), ['amount.precision', '/services/0/limits/0/amount']],
    [
      'two services of one name',
      plain({ services: twice(service({ limits: [] })), limits: [DAY] }),
      ['policy.inconsistent', '/services/1/name'],
    ],
    ['two limits of one id', plain({ limits: [DAY] }), ['policy.inconsistent', '/limits/0/id']],
    [
      'a tier that does not exist',
      limits({ byTier: { GLOOD: { amount: '1' } } }),
      ['policy.inconsistent', '/services/0/limits/0/byTier/GLOOD'],
    ],
    [
      'a discount for strangers',
      plain({ discounts: [{ id: 'x', tiers: ['NONE'], services: ['none'], percent: '1' }] }),
      ['policy.inconsistent', '/discounts/0/tiers/0'],
      ['policy.inconsistent', '/discounts/0/services/0'],
    ],
    ['a count of one transaction', limits({}, { window: 'TRANSACTION', count: 1 }), ['policy.inconsistent', '/services/0/limits/1/count']],
    ['a looser limit of the same scope and window', limits({}, { amount: '2000.00' }), ['limit.never_binds', '/services/0/limits/1']],
    ['a looser limit that stands first', limits({ amount: '2000.00' }, {}), ['limit.never_binds', '/services/0/limits/0']],
    ['the same limit twice', limits({}, {}), ['limit.never_binds', '/services/0/limits/1']],
    ['a looser amount with a count of its own', limits({}, { amount: '2000.00', count: 5 })],
    ['a looser limit of another window', limits({}, { window: 'WEEK', amount: '2000.00' })],
    ['a looser limit that is tighter for one tier', limits({}, { amount: '2000.00', byTier: { BASIC: { amount: '1.00' } } })],
    [
      'tighter only for a tier that the service turns away',
      plain({
        services: [
          service({ minimumScore: 600, limits: [DAY, { ...DAY, id: 'b', byTier: { BASIC: { amount: '1.00' } } }] }),
          service({ name: 'bar', limits: [{ ...DAY, id: 'c' }] }),
        ],
      }),
      ['limit.never_binds', '/services/0/limits/1'],
    ],
    [
      'a service’s limit above one over all services',
      plain({ limits: [{ ...DAY, id: 'all', amount: '500.00' }] }),
      ['limit.never_binds', '/services/0/limits/0'],
    ],
    [
      'a limit over all services above one service’s',
      plain({ services: [service(), service({ name: 'bar', limits: [] })], limits: [{ ...DAY, id: 'all', amount: '1500.00' }] }),
    ],
    [
      'a limit by counterparty above one of the service',
      limits({}, { scope: 'SUBJECT_COUNTERPARTY' }),
      ['limit.never_binds', '/services/0/limits/1'],
    ],
    ['a limit by counterparty below one of the service', limits({}, { scope: 'SUBJECT_COUNTERPARTY', amount: '10.00' })],
    [
      'looser limits of a transaction, whatever their scope',
      limits({ window: 'TRANSACTION', scope: 'SUBJECT_SERVICE', amount: '5.00' }, { window: 'TRANSACTION', amount: '6.00' }),
      ['limit.never_binds', '/services/0/limits/1'],
    ],
    ['a service without limits', plain({ services: [service({ limits: [] })] }), ['service.unlimited', '/services/0']],
    [
      'a service with a count only',
      plain({ services: [service({ limits: [{ id: 'c', window: 'DAY', scope: 'SUBJECT', count: 3 }] })] }),
      ['service.unlimited', '/services/0'],
    ],
    ['a service that is off, without limits', plain({ services: [service(), service({ name: 'bar', mode: 'off', limits: [] })] })],
    [
      'a review above what is denied',
      plain({ services: [service({ reviewAbove: '10.00', limits: [{ ...DAY, window: 'TRANSACTION', amount: '10.00' }] })] }),
      ['review.unreachable', '/services/0/reviewAbove'],
    ],
    [
      'a minimum that no tier reaches',
      plain({ services: [service({ minimumScore: 701 }), service({ name: 'bar', limits: [{ ...DAY, id: 'b' }] })] }),
      ['service.out_of_reach', '/services/0/minimumScore'],
    ],
    [
      'tiers that every service turns away',
      plain({ services: [service({ minimumScore: 600 })] }),
      ['tier.served_nowhere', '/tiers/0'],
      ['tier.served_nowhere', '/tiers/1'],
    ],
    ['a minimum inside a tier', plain({ services: [service({ minimumScore: 549 })] })],
    [
      'a discount for who is turned away',
      plain({
        services: [service(), service({ name: 'vip', minimumScore: 700, limits: [{ ...DAY, id: 'v' }] })],
        discounts: [{ id: 'd', services: ['vip'], tiers: ['GOOD', 'EXCELLENT'], percent: '1' }],
      }),
      ['discount.out_of_reach', '/discounts/0/tiers/0'],
    ],
    [
      'a discount that another outdoes',
      plain({
        discounts: [
          { id: 'a', services: ['shop'], tiers: ['GOOD'], percent: '1' },
          { id: 'b', tiers: ['GOOD', 'TRUSTED'], percent: '1.5' },
        ],
      }),
      ['discount.never_best', '/discounts/0'],
    ],
    [
      'two discounts with rounding of their own',
      plain({
        discounts: [
          { id: 'a', tiers: ['GOOD'], percent: '1', rounding: 'HALF_UP' },
          { id: 'b', tiers: ['GOOD'], percent: '1.5' },
        ],
      }),
    ],
  ])('%s', (_name, policy, ...findings) => {
    expect(found(policy)).toEqual(findings);
  });

  it.each<[name: string, text: string, code: string, line: number, column: number]>([
    ['an empty text', '', 'json.malformed', 1, 1],
    ['a name without quotes', '{\n  id: 1\n}', 'json.malformed', 2, 3],
    ['a name that is a number', '{ 1: 1 }', 'json.malformed', 1, 3],
    ['a comma too many', '{"a": [1,\r\n\t2,]}', 'json.malformed', 2, 4],
    ['a colon too few', '{"a" 1}', 'json.malformed', 1, 6],
    ['a number with a leading zero', '{"a": 01}', 'json.malformed', 1, 8],
    ['a text that ends early', '{"a": {\n', 'json.malformed', 2, 1],
    ['a second document', '{}\n{}', 'json.malformed', 2, 1],
    ['a line break in a string', '{"a": "\n"}', 'json.malformed', 1, 7],
    ['too deep', '['.repeat(17) + ']'.repeat(17), 'json.malformed', 1, 17],
  ])('names line and column of %s', (_name, text, code, line, column) => {
    expect(lintPolicy(text)).toEqual([expect.objectContaining({ severity: 'error', code, line, column })]);
  });

  it('names line and column of what is well-formed but wrong, in the order of the text', () => {
    const text = JSON.stringify(plain({ extra: 1, services: [{ ...service(), mode: 'loud' }] }), undefined, 2).replace(
      '"house"',
      '"house", "😀": 1, "id": "b"',
    );
    const at = (token: string) => {
      const before = text.slice(0, text.indexOf(token)).split('\n');
      return { line: before.length, column: before.at(-1)!.length + 1 };
    };
    expect(lintPolicy(text).map(({ code, line, column }) => ({ code, line, column }))).toEqual([
      { code: 'policy.unknown_field', ...at('"😀"') },
      { code: 'json.name_twice', ...at('"id": "b"') },
      { code: 'policy.malformed', ...at('"loud"') },
      { code: 'policy.unknown_field', ...at('"extra"') },
    ]);
  });

  it('puts what is missing where it is missing from', () => {
    const [finding] = lintPolicy(
      '{\n "id": "a", "version": 1, "timeZone": "UTC", "currency": "CNY", "services": [{"name":"x","mode":"off"}],\n  "tiers": [ {"name": "A"} ]\n}',
    );
    expect(finding).toMatchObject({
      code: 'policy.malformed',
      message: '"minimumScore" is missing',
      pointer: '/tiers/0/minimumScore',
      line: 3,
      column: 14,
    });
  });

  it('has nothing against the policy that an installation begins with', () => {
    expect(lintPolicy(readFileSync('prisma/seed/policy.json', 'utf8'))).toEqual([]);
  });

  it('calls an error exactly what compiling refuses', () => {
    const policies = [
      plain(),
      policyInput(),
      plain({ currency: 'XQQ' }),
      limits({ amount: '1.001' }),
      limits({}, {}),
      plain({ limits: [DAY] }),
    ];
    for (const policy of policies) {
      const isRefused = lintPolicy(JSON.stringify(policy)).some(({ severity }) => severity === 'error');
      const compile = () => compilePolicy(parsePolicy(policy), '');
      if (isRefused) expect(compile).toThrow();
      else expect(compile).not.toThrow();
    }
  });
});
