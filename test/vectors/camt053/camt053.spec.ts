import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CAMT053_LIMITS, readCamt053, type StatementEntry, type StatementPart, surveyStatement } from '#reconciliation';
import { REFUSED } from './cases.js';

const good = readFileSync(new URL('good.xml', import.meta.url), 'utf8');
const bytes = (text: string) => [new TextEncoder().encode(text)];

async function entriesOf(text: string): Promise<StatementEntry[]> {
  const parts: StatementPart[] = [];
  for await (const part of readCamt053(bytes(text))) parts.push(part);
  return parts.flatMap((part) => (part.kind === 'entry' ? part.entry : []));
}

const survey = (text: string, limits = CAMT053_LIMITS) => surveyStatement(readCamt053(bytes(text), limits));

describe('the good camt.053', () => {
  it('is read, its batch counted once and its totals tie', async () => {
    const { statements, entries, lines } = await survey(good);
    expect({ entries, lines }).toEqual({ entries: 2, lines: 3 });
    expect(statements.map(({ totals }) => totals.balanced)).toEqual([true]);
  });

  it.each([
    ['five decimals of which three are zero', '199.00000'],
    ['a CDATA section', '<![CDATA[199.00]]>'],
    ['character references', '&#49;99.00'],
  ])('means the same with %s', async (_name, by) => {
    expect((await entriesOf(good.replace('199.00', by)))[0]!.money).toEqual({ minor: 19_900n, currency: 'CNY' });
  });

  it('means the same with a namespace prefix, a byte order mark or CRLF', async () => {
    const prefixed = good.replace(/<(\/?)([A-Z])/g, '<$1d:$2').replace('xmlns=', 'xmlns:d=');
    const plain = await entriesOf(good);
    expect(await entriesOf(prefixed)).toEqual(plain);
    expect(await entriesOf(`\uFEFF${good}`)).toEqual(plain);
    expect(await entriesOf(good.replaceAll('\n', '\r\n'))).toEqual(plain);
  });

  it('keeps predefined entities in text', async () => {
    expect((await entriesOf(good))[0]!.details[0]!.references.texts).toEqual(['Tea & cups']);
  });

  it.each(Array.from({ length: 13 }, (_, version) => String(version + 2).padStart(2, '0')))('is read in version %s', async (version) => {
    expect(await entriesOf(good.replace('camt.053.001.08', `camt.053.001.${version}`))).toHaveLength(2);
  });
});

describe('one change', () => {
  it.each(REFUSED.map((refused) => [refused.name, refused] as const))('%s', async (_name, { replace, by, code, line }) => {
    const changed = good.replace(replace, by);
    expect(changed).not.toBe(good);
    await expect(survey(changed)).rejects.toMatchObject({ code, hints: { extra: { line } } });
  });

  it('cut anywhere is truncated or malformed, never half a statement', async () => {
    const end = good.indexOf('</Document>') + '</Document>'.length;
    for (let length = 0; length < end; length += 13) {
      await expect(survey(good.slice(0, length)), `${length} characters`).rejects.toMatchObject({
        code: expect.stringMatching(/^statement\./),
      });
    }
    await expect(survey(good.slice(0, good.indexOf('</Stmt>')))).rejects.toMatchObject({ code: 'statement.truncated' });
  });

  it('cut inside a character, or with bytes that are no UTF-8', async () => {
    const encode = (text: string) => new TextEncoder().encode(text);
    const wrong = surveyStatement(readCamt053([encode(good.slice(0, 500)), new Uint8Array([0xff, 0xfe]), encode(good.slice(500))]));
    await expect(wrong).rejects.toMatchObject({ code: 'statement.encoding_refused' });
    const half = surveyStatement(readCamt053([encode(good.slice(0, 500)), new Uint8Array([0xe4])]));
    await expect(half).rejects.toMatchObject({ code: 'statement.truncated' });
  });

  it.each([
    ['entriesMax', 1],
    ['detailsMax', 2],
    ['statementsMax', 0],
    ['balancesPerStatementMax', 1],
  ] as const)('one above %s', async (limit, value) => {
    const refused = survey(good, { ...CAMT053_LIMITS, [limit]: value });
    await expect(refused).rejects.toMatchObject({ code: 'statement.too_many', hints: { limit: `${limit}=${value}` } });
  });
});

describe('totals that do not tie are never called balanced', () => {
  it.each([
    ['the closing balance', '1349.00', '1349.01', false],
    ['an amount', '199.00', '198.99', false],
    ['the stated number of entries', '<NbOfNtries>2</NbOfNtries></TtlNtries>', '<NbOfNtries>3</NbOfNtries></TtlNtries>', false],
    ['the stated number of credits', '<TtlCdtNtries><NbOfNtries>2', '<TtlCdtNtries><NbOfNtries>1', false],
    ['the stated sum of credits', '<Sum>349.00', '<Sum>349.001', false],
    ['a detail of the batch', '50.00</Amt>\n          </TxDtls>', '50.01</Amt>\n          </TxDtls>', false],
    ['the currency of a balance', 'Ccy="CNY">1349.00', 'Ccy="EUR">1349.00', undefined],
    ['the code of the closing balance', 'CLBD', 'INFO', undefined],
    ['a booked entry made pending', /BOOK/, 'PDNG', false],
  ] as const)('%s', async (_name, replace, by, balanced) => {
    const { statements } = await survey(good.replace(replace, by));
    expect(statements[0]!.totals.balanced).toBe(balanced);
  });
});
