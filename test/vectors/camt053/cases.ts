/** One change to `good.xml`, and what becomes of it. */
export interface RefusedCase {
  readonly name: string;
  readonly replace: string | RegExp;
  readonly by: string;
  readonly code: string;
  readonly line: number;
}

const AMOUNT = '199.00';
const amount = (name: string, by: string, code = 'statement.amount_malformed'): RefusedCase => ({
  name,
  replace: AMOUNT,
  by,
  code,
  line: 35,
});
const at = (line: number, name: string, replace: string | RegExp, by: string, code: string): RefusedCase => ({
  name,
  replace,
  by,
  code,
  line,
});

const HEADER = '<?xml version="1.0" encoding="UTF-8"?>';
const NAMESPACE = 'camt.053.001.08"';

export const REFUSED: readonly RefusedCase[] = [
  amount('an exponent', '1e2'),
  amount('a leading space', ' 5'),
  amount('a trailing new line', '5\n'),
  amount('hexadecimal', '0x64'),
  amount('a sign', '-5.00'),
  amount('a plus sign', '+5.00'),
  amount('a decimal comma', '199,00'),
  amount('thousands', '1,199.00'),
  amount('two points', '12..34'),
  amount('no digits before the point', '.50'),
  amount('no digits after the point', '5.'),
  amount('full-width digits', '１９９'),
  amount('Arabic-Indic digits', '١٩٩'),
  amount('not a number', 'NaN'),
  amount('an empty amount', ''),
  amount('six decimals', '199.000000'),
  amount('nineteen digits', '1000000000000000000'),
  amount('a fraction of a fen', '8.855', 'statement.amount_precision'),
  amount('above 10^15 minor units', '10000000000000.01', 'statement.amount_too_large'),
  amount('a comment inside', '19<!-- -->9', 'statement.xml_malformed'),
  amount('an instruction inside', '19<?x y?>9', 'statement.xml_malformed'),
  amount('an element inside', '19<b/>9', 'statement.xml_malformed'),
  amount('an unknown entity', '&lol;', 'statement.entity_refused'),
  at(35, 'no currency', `<Amt Ccy="CNY">${AMOUNT}`, `<Amt>${AMOUNT}`, 'statement.currency_unknown'),
  at(35, 'an unknown currency', `Ccy="CNY">${AMOUNT}`, `Ccy="XXX">${AMOUNT}`, 'statement.currency_unknown'),
  at(35, 'a currency in lower case', `Ccy="CNY">${AMOUNT}`, `Ccy="cny">${AMOUNT}`, 'statement.currency_unknown'),
  at(34, 'no amount', `<Amt Ccy="CNY">${AMOUNT}</Amt>`, '', 'statement.element_missing'),
  at(35, 'two amounts', `<Amt Ccy="CNY">${AMOUNT}</Amt>`, '<Amt Ccy="CNY">1</Amt><Amt Ccy="CNY">2</Amt>', 'statement.element_repeated'),
  at(
    34,
    'an amount of another namespace',
    `<Amt Ccy="CNY">${AMOUNT}`,
    `<Amt xmlns="urn:x" Ccy="CNY">${AMOUNT}`,
    'statement.element_missing',
  ),
  at(36, 'no such direction', /(199.00<\/Amt>\s*<CdtDbtInd>)CRDT/, '$1CREDIT', 'statement.value_refused'),
  at(34, 'no direction', /(199.00<\/Amt>\s*)<CdtDbtInd>CRDT<\/CdtDbtInd>/, '$1', 'statement.element_missing'),
  at(37, 'no such status', /(199.00[\s\S]*?<Cd>)BOOK/, '$1DONE', 'statement.value_refused'),
  at(38, '30 February', /(<BookgDt><Dt>)2026-03-01/, '$12026-02-30', 'statement.date_malformed'),
  at(38, 'a date in words', /(<BookgDt><Dt>)2026-03-01/, '$11 March', 'statement.date_malformed'),
  at(11, 'hour 25', 'FrDtTm>2026-03-01T00', 'FrDtTm>2026-03-01T25', 'statement.date_malformed'),
  at(8, 'no statement id', '<Id>STM-1</Id>', '', 'statement.element_missing'),
  at(18, 'a balance without a date', '<Dt><Dt>2026-03-01</Dt></Dt>', '', 'statement.element_missing'),
  at(2, 'a document type', HEADER, `${HEADER}\n<!DOCTYPE Document>`, 'statement.dtd_refused'),
  at(2, 'a document type with an entity', HEADER, `${HEADER}\n<!DOCTYPE d [\n<!ENTITY a "999999">\n]>`, 'statement.dtd_refused'),
  at(2, 'an external document type', HEADER, `${HEADER}\n<!DOCTYPE d SYSTEM "file:///etc/passwd">`, 'statement.dtd_refused'),
  at(1, 'another encoding', 'encoding="UTF-8"', 'encoding="ISO-8859-1"', 'statement.encoding_refused'),
  at(2, 'another message', NAMESPACE, 'camt.054.001.08"', 'statement.namespace_unknown'),
  at(2, 'version 1', NAMESPACE, 'camt.053.001.01"', 'statement.namespace_unknown'),
  at(2, 'no namespace', / xmlns="[^"]*"/, '', 'statement.namespace_unknown'),
  at(3, 'another element below Document', /BkToCstmrStmt>/g, 'BkToCstmrAcctRpt>', 'statement.message_unknown'),
  at(11, 'no statement', /<Stmt>[\s\S]*<\/Stmt>/, '', 'statement.empty'),
  at(40, 'tags that cross', '<NtryDtls>', '<NtryDtls></Ntry>', 'statement.xml_malformed'),
  at(43, 'a bare ampersand', 'PAY-1', 'PAY & 1', 'statement.entity_refused'),
  at(43, 'a word of 3,000 characters', 'Tea &amp; cups', 'x'.repeat(3_000), 'statement.value_too_long'),
  at(5, '40 levels', '<MsgId>', `<a>${'<a>'.repeat(40)}`, 'statement.too_deep'),
  at(66, 'two documents', /<\/Document>/, '</Document><Document/>', 'statement.xml_malformed'),
];
