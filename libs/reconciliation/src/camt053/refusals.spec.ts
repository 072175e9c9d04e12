import { describe, expect, it } from 'vitest';
import { STATEMENT_REFUSALS, type StatementRefusalCode } from '../codes.js';
import type { StatementPart } from '../statement.js';
import { CAMT053_LIMITS, type Camt053Limits } from './limits.js';
import { readCamt053 } from './read-camt053.js';

const GOOD = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
<BkToCstmrStmt>
<Stmt>
<Id>STM-1</Id>
<FrToDt><FrDtTm>2026-03-01T00:00:00Z</FrDtTm><ToDtTm>2026-03-02T00:00:00Z</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>ACC-1</Id></Othr></Id><Ccy>CNY</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>
<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries></TtlNtries><TtlCdtNtries><Sum>5.00</Sum></TtlCdtNtries></TxsSummry>
<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>false</RvslInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-01</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>P-1</EndToEndId></Refs><RmtInf><Ustrd>for you</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
</Stmt>
</BkToCstmrStmt>
</Document>
`;

async function read(bytes: Uint8Array, limits: Camt053Limits = CAMT053_LIMITS): Promise<StatementPart[]> {
  const parts: StatementPart[] = [];
  for await (const part of readCamt053([bytes], limits)) parts.push(part);
  return parts;
}

/** The good file with one thing changed. */
function changed(from: string, to: string): Uint8Array {
  expect(GOOD.split(from).length, `"${from}" stands in the good file once`).toBe(2);
  return Buffer.from(GOOD.replace(from, () => to));
}

type Row = [code: StatementRefusalCode, what: string, from: string, to: string];
const rows: Row[] = [
  ['statement.empty', 'no statement', GOOD.slice(GOOD.indexOf('<Stmt>'), GOOD.indexOf('</BkTo')), ''],
  ['statement.encoding_refused', 'another encoding', 'encoding="UTF-8"', 'encoding="ISO-8859-1"'],
  ['statement.xml_malformed', 'a tag that closes another', '</Ntry>', '</Ntri>'],
  ['statement.xml_malformed', 'a comment inside an amount', '>5.00</Amt>', '>5<!-- -->.00</Amt>'],
  ['statement.xml_malformed', 'an instruction inside an amount', '>5.00</Amt>', '>5<?x y?>.00</Amt>'],
  ['statement.xml_malformed', 'an element inside a text', 'STM-1', 'STM<b/>-1'],
  ['statement.dtd_refused', 'a document type', '<Document', '<!DOCTYPE Document><Document'],
  ['statement.entity_refused', 'an entity of its own', 'for you', '&you;'],
  ['statement.truncated', 'no end', '</Document>\n', ''],
  ['statement.namespace_unknown', 'another message', 'camt.053.001.08', 'camt.054.001.08'],
  ['statement.namespace_unknown', 'version 1', 'camt.053.001.08', 'camt.053.001.01'],
  ['statement.namespace_unknown', 'no namespace', ' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', ''],
  ['statement.namespace_unknown', 'another root', GOOD.slice(GOOD.indexOf('<Document'), -1), '<Dokument/>'],
  ['statement.message_unknown', 'another message below Document', GOOD.slice(GOOD.indexOf('<BkTo'), GOOD.indexOf('</Doc')), '<BkToCstmr/>'],
  [
    'statement.message_unknown',
    'the message in another namespace',
    GOOD.slice(GOOD.indexOf('<BkTo'), GOOD.indexOf('</Doc')),
    '<x:BkToCstmrStmt xmlns:x="urn:x"/>',
  ],
  ['statement.too_deep', 'elements too deep', 'for you', `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`],
  ['statement.value_too_long', 'a long value', 'STM-1', 'x'.repeat(CAMT053_LIMITS.valueCharsMax + 1)],
  ['statement.element_missing', 'a statement without id', '<Id>STM-1</Id>', ''],
  ['statement.element_missing', 'a balance without amount', '<Amt Ccy="CNY">0.00</Amt>', ''],
  ['statement.element_missing', 'a balance without type', '<Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>', ''],
  ['statement.element_missing', 'a balance without date', '<Dt><Dt>2026-03-01</Dt></Dt>', ''],
  ['statement.element_missing', 'an entry without amount', '<Amt Ccy="CNY">5.00</Amt>', ''],
  ['statement.element_missing', 'an entry without direction', '<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>', '<RvslInd>'],
  ['statement.element_missing', 'an entry without status', '<Sts><Cd>BOOK</Cd></Sts>', ''],
  ['statement.element_repeated', 'two amounts', '<Amt Ccy="CNY">5.00</Amt>', '<Amt Ccy="CNY">5.00</Amt><Amt Ccy="CNY">6.00</Amt>'],
  [
    'statement.element_repeated',
    'two references',
    '<EndToEndId>P-1</EndToEndId>',
    '<EndToEndId>P-1</EndToEndId><EndToEndId>P-2</EndToEndId>',
  ],
  ['statement.value_refused', 'an empty id', 'STM-1', ' '],
  ['statement.value_refused', 'a direction that is none', 'CRDT</CdtDbtInd><RvslInd>', 'CREDIT</CdtDbtInd><RvslInd>'],
  ['statement.value_refused', 'a status that is none', 'BOOK', 'BOOKED'],
  ['statement.value_refused', 'a boolean that is none', '>false<', '>no<'],
  ['statement.value_refused', 'a count with a sign', '<NbOfNtries>1<', '<NbOfNtries>-1<'],
  ['statement.value_refused', 'a count that is no number', '<NbOfNtries>1<', '<NbOfNtries>1e3<'],
  ['statement.date_malformed', 'a day that is none', '<BookgDt><Dt>2026-03-01', '<BookgDt><Dt>2026-02-30'],
  ['statement.date_malformed', 'an hour that is none', '2026-03-01T00:00:00Z', '2026-03-01T25:00:00Z'],
  ['statement.date_malformed', 'a day in another order', '<BookgDt><Dt>2026-03-01', '<BookgDt><Dt>01.03.2026'],
  ...['1e2', ' 5', '0x64', '-5', '+5', '5,00', '5.', '.5', '', '1.000001', '1234567890123456789'].map((text): Row => [
    'statement.amount_malformed',
    `an amount "${text}"`,
    '<Amt Ccy="CNY">5.00<',
    `<Amt Ccy="CNY">${text}<`,
  ]),
  ['statement.amount_malformed', 'a sum that is no number', '<Sum>5.00<', '<Sum>5e0<'],
  ['statement.amount_precision', 'more decimals than the currency has', '>5.00</Amt>', '>5.001</Amt>'],
  ['statement.amount_too_large', 'more than we count', '>5.00</Amt>', '>99999999999999999</Amt>'],
  ['statement.currency_unknown', 'a currency that is none', '<Amt Ccy="CNY">5', '<Amt Ccy="QQQ">5'],
  ['statement.currency_unknown', 'no currency', '<Amt Ccy="CNY">5', '<Amt>5'],
];

describe('a statement file', () => {
  it('that is good is read', async () => {
    expect((await read(Buffer.from(GOOD))).map(({ kind }) => kind)).toEqual(['entry', 'statement']);
  });

  it.each(rows)('is refused as %s for %s', async (code, _what, from, to) => {
    const refused = await read(changed(from, to)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code, kind: STATEMENT_REFUSALS[code], hints: { extra: { line: expect.any(Number) as number } } });
  });

  it('is refused for bytes that are not UTF-8, or that end inside a character', async () => {
    const broken = Buffer.from(GOOD.replace('for you', 'for\x80you'), 'latin1');
    await expect(read(broken)).rejects.toMatchObject({ code: 'statement.encoding_refused' });
    await expect(read(Buffer.concat([Buffer.from(GOOD), Buffer.from([0xc3])]))).rejects.toMatchObject({ code: 'statement.truncated' });
  });

  it.each(['statementsMax', 'balancesPerStatementMax', 'entriesMax', 'detailsMax'] as const)(
    'may have as many as %s, and no more',
    async (name) => {
      const good = Buffer.from(GOOD);
      expect(await read(good, { ...CAMT053_LIMITS, [name]: 1 })).toHaveLength(2);
      await expect(read(good, { ...CAMT053_LIMITS, [name]: 0 })).rejects.toMatchObject({
        code: 'statement.too_many',
        hints: { limit: `${name}=0` },
      });
    },
  );

  it('has a row here for each code', () => {
    expect(new Set([...rows.map(([code]) => code), 'statement.too_many'])).toEqual(new Set(Object.keys(STATEMENT_REFUSALS)));
  });

  it('names the line of what is wrong', async () => {
    await expect(read(changed('>5.00</Amt>', '>5.001</Amt>'))).rejects.toMatchObject({ hints: { extra: { line: 10 } } });
  });

  it('may hold elements of others: they are not read, whatever their name', async () => {
    const other = changed('<Id>STM-1</Id>', '<Id>STM-1</Id><x:Id xmlns:x="urn:x">STM-2</x:Id>');
    expect((await read(other)).at(-1)).toMatchObject({ kind: 'statement', head: { id: 'STM-1' } });
  });

  it('may have empty free text: it is none', async () => {
    const [part] = await read(changed('for you', '  '));
    expect(part).toMatchObject({ entry: { details: [{ references: { endToEndId: 'P-1', texts: [] } }] } });
  });
});
