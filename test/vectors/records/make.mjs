// Makes cases.json: a good payload of each kind, then the same with one change each, and the code we expect. Run: node test/vectors/records/make.mjs
import { writeFileSync } from 'node:fs';

const head = {
  iss: 'bank-a',
  sub: 'lnk_k01j8zq4y7x2m3n5p6q7r8s9t0v',
  jti: '01939a6e-7a00-7abc-8def-0123456789ab',
  seq: 7,
  iat: 1795248000,
  asOf: '2026-11-21T08:00:00.000Z',
  validUntil: '2027-02-19T08:00:00Z',
};
const other = '01939a6e-7a00-7abc-8def-0123456789ac';
const rating = {
  score: 780,
  scale: { min: 350, max: 950 },
  band: 'A',
  factors: [{ code: 'LONG_HISTORY', text: '长期良好 𝄞 history' }],
  model: { id: 'toy-bank-model', version: '2026.1' },
};
const cny = (amount) => ({ amount, currency: 'CNY' });
const performance = { status: '71', balance: cny('1200.00'), pastDue: cny('100.00'), paymentProfile: '1'.padEnd(24, '0') };
const violation = { code: 'FRAUD', severity: 'SEVERE', evidenceDigest: 'ab'.repeat(32), occurredAt: '2026-11-20T00:00:00Z' };

const good = {
  rating: { ...head, kind: 'rating', rating },
  performance: { ...head, kind: 'performance', performance },
  violation: { ...head, kind: 'violation', violation },
  clearance: { ...head, kind: 'clearance', clearance: { clears: other, clearedAt: head.asOf } },
  correction: { ...head, kind: 'correction', correction: { replaces: other, reason: 'WRONG_SCORE', rating } },
  withdrawal: { ...head, kind: 'withdrawal', withdrawal: { replaces: other, reason: 'WRONG_PERSON' } },
};

const cases = [];
const add = (name, kind, code, change) => cases.push({ name, kind, code, payload: change(structuredClone(good[kind])) });
const set = (path, value) => (record) => {
  const steps = path.split('/');
  const last = steps.pop();
  const at = steps.reduce((place, step) => place[step], record);
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return record;
};

for (const kind of Object.keys(good)) {
  add(`a ${kind}`, kind, 'good', (record) => record);
  add(`a ${kind} with a field that nobody knows`, kind, 'record.malformed', set('note', 'x'));
  add(`a ${kind} with a field inside that nobody knows`, kind, 'record.malformed', set(`${kind}/secret`, 1));
  add(`a ${kind} without its body`, kind, 'record.malformed', set(kind, undefined));
  add(`a ${kind} whose body is a list`, kind, 'record.malformed', set(kind, []));
  add(`a ${kind} of an unknown kind`, kind, 'record.malformed', set('kind', 'rumour'));
  for (const name of ['iss', 'sub', 'jti', 'seq', 'iat', 'asOf']) {
    add(`a ${kind} without ${name}`, kind, 'record.malformed', set(name, undefined));
    add(`a ${kind} whose ${name} is null`, kind, 'record.malformed', set(name, null));
  }
}
for (const kind of ['clearance', 'withdrawal']) add(`a ${kind} without an end`, kind, 'good', set('validUntil', undefined));
for (const kind of ['rating', 'performance', 'violation', 'correction']) {
  add(`a ${kind} without an end`, kind, 'record.malformed', set('validUntil', undefined));
}
const malformed = [
  ['jti', head.jti.toUpperCase()],
  ['jti', '6b1e0c7e-1f7b-4f0e-9d5c-0123456789ab'],
  ['sub', 'sub_k01j8zq4y7x2m3n5p6q7r8s9t0v'],
  ['iss', 'B'],
  ['seq', 0],
  ['seq', '7'],
  ['seq', 9007199254740992],
  ['iat', 1.5],
  ['asOf', '2026-11-21T08:00:00+08:00'],
  ['asOf', '2026-02-30T08:00:00Z'],
  ['asOf', '2027-02-29T08:00:00Z'],
  ['asOf', '2026-11-21'],
  ['rating/score', -1],
  ['rating/score', 10001],
  ['rating/score', 'A'],
  ['rating/band', ''],
  ['rating/band', 'x'.repeat(17)],
  ['rating/band', 'A\u0000'],
  ['rating/band', 'A\n'],
  ['rating/band', '\ud800'],
  ['rating/band', '𝄞'.repeat(17)],
  ['rating/factors', [{ code: 'CODE', text: 'half \udc00' }]],
  ['rating/factors', Array(6).fill(rating.factors[0])],
  ['rating/factors', [{ code: '1', text: 'x' }]],
  ['rating/factors', [{ code: 'CODE', text: '' }]],
  ['rating/model/version', ' 1'],
  ['rating/scale', { min: 0 }],
];
for (const [path, value] of malformed)
  add(`a rating with ${path} ${JSON.stringify(value).slice(0, 60)}`, 'rating', 'record.malformed', set(path, value));
for (const [path, value] of [
  ['asOf', '2028-02-29T23:59:59.999999Z'],
  ['rating/factors', []],
  ['rating/factors', Array(5).fill(rating.factors[0])],
  ['rating/band', 'é'.repeat(16)],
  ['rating/band', '𝄞'.repeat(16)],
  ['rating/band', '\u202e\u2028\u{10ffff}'],
  ['seq', 9007199254740991],
])
  add(`a rating with ${path} ${JSON.stringify(value).slice(0, 60)}`, 'rating', 'good', set(path, value));
add('a score above its scale', 'rating', 'record.inconsistent', set('rating/score', 951));
add('a scale upside down', 'rating', 'record.inconsistent', set('rating/scale', { min: 950, max: 350 }));

for (const status of ['11', '13', '62', '71', '78', '80', '82', '83', '84', '93', '97']) {
  const body = { ...performance, status };
  if (['11', '13', '62'].includes(status)) body.pastDue = cny('0');
  if (['13', '62'].includes(status)) body.balance = cny('0.00');
  add(`an account of status ${status}`, 'performance', 'good', set('performance', body));
}
for (const status of ['12', '05', '88', 11, ''])
  add(`an account of status ${JSON.stringify(status)}`, 'performance', 'record.malformed', set('performance/status', status));
for (const profile of ['0123456DEGHJKL0000BBBBBB', 'B'.repeat(24), 'E'.repeat(24)]) {
  add(`the payment profile ${profile}`, 'performance', 'good', set('performance/paymentProfile', profile));
}
for (const profile of ['0'.repeat(23), '0'.repeat(25), '7'.padEnd(24, '0'), 'b'.repeat(24), 'A'.padEnd(24, '0'), ' '.padEnd(24, '0')]) {
  add(`the payment profile ${JSON.stringify(profile)}`, 'performance', 'record.malformed', set('performance/paymentProfile', profile));
}
add('history before there was any', 'performance', 'record.inconsistent', set('performance/paymentProfile', `0B0${'B'.repeat(21)}`));
for (const amount of ['9999999999999999.99', '000000000000001200.00', '1200', '1200.00000']) {
  add(`a balance of ${amount}`, 'performance', 'good', set('performance/balance', cny(amount)));
}
for (const amount of ['1e2', '-1', '+1', ' 1', '1.', '.5', '1,5', '', '٥', '0x64', '1234567890123456789', '1.000000']) {
  add(`a balance of ${JSON.stringify(amount)}`, 'performance', 'amount.malformed', set('performance/balance', cny(amount)));
}
add('a balance as a number', 'performance', 'record.malformed', set('performance/balance', { amount: 1200, currency: 'CNY' }));
add('a balance of no currency', 'performance', 'record.malformed', set('performance/balance', { amount: '1200' }));
add('a balance in QQQ', 'performance', 'currency.unknown', set('performance/balance', { amount: '1200', currency: 'QQQ' }));
add('a balance above 18 digits', 'performance', 'amount.too_large', set('performance/balance', cny('100000000000000000.00')));
add('a third decimal', 'performance', 'amount.precision', set('performance/balance', cny('1200.001')));
add('two currencies', 'performance', 'record.inconsistent', set('performance/balance', { amount: '1200.00', currency: 'EUR' }));
add('more past due than owed', 'performance', 'record.inconsistent', set('performance/balance', cny('99.99')));
add('a current account past due', 'performance', 'record.inconsistent', set('performance/status', '11'));
add(
  'a paid account with a balance',
  'performance',
  'record.inconsistent',
  set('performance', { ...performance, status: '13', pastDue: cny('0') }),
);
add('a delinquent account with nothing past due', 'performance', 'record.inconsistent', set('performance/pastDue', cny('0.00')));
add('an account with a name', 'performance', 'good', set('performance/account', 'A-1:2.3_4'));
add('an account with a name of spaces', 'performance', 'record.malformed', set('performance/account', 'A 1'));

for (const [path, value] of [
  ['violation/severity', 'HUGE'],
  ['violation/evidenceDigest', 'AB'.repeat(32)],
  ['violation/evidenceDigest', 'ab'],
  ['violation/code', 'x'],
  ['violation/occurredAt', 'yesterday'],
])
  add(`a violation with ${path} ${value.slice(0, 20)}`, 'violation', 'record.malformed', set(path, value));
add('a clearance of no jti', 'clearance', 'record.malformed', set('clearance/clears', 'x'));
add('a clearance without its time', 'clearance', 'good', set('clearance/clearedAt', undefined));
for (const bodies of [{}, { rating, violation }, { rating, performance, violation }]) {
  const names = Object.keys(bodies).join(' and ') || 'nothing';
  add(`a correction of ${names}`, 'correction', 'record.malformed', set('correction', { replaces: other, ...bodies }));
}
for (const [name, body] of Object.entries({ performance, violation })) {
  add(`a correction of a ${name}`, 'correction', 'good', set('correction', { replaces: other, [name]: body }));
}
add('a correction whose body is malformed', 'correction', 'record.malformed', set('correction/rating/score', '1'));
add('a correction whose body is inconsistent', 'correction', 'record.inconsistent', set('correction/rating/score', 1));

writeFileSync(new URL('cases.json', import.meta.url), `${JSON.stringify(cases, null, 1)}\n`);
console.log(`${cases.length} cases`);
