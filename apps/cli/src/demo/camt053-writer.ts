import { formatMinor, type Money } from '#kernel';

/** One booked entry of the statement that the toy bank files. */
export interface StatementLine {
  readonly endToEndId: string;
  readonly money: Money;
  readonly servicerReference: string;
}

export interface StatementInput {
  readonly id: string;
  readonly account: string;
  readonly currency: string;
  readonly bookedAt: Date;
  readonly from: Date;
  readonly to: Date;
  readonly openingMinor: bigint;
  readonly lines: readonly StatementLine[];
}

/** Writes a camt.053.001.08 whose closing balance ties with its entries (ISO 20022 BankToCustomerStatement). */
export function writeCamt053(input: StatementInput): string {
  const ofCurrency = input.lines.filter((line) => line.money.currency === input.currency);
  const closing = ofCurrency.reduce((sum, line) => sum + line.money.minor, input.openingMinor);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>',
    `<GrpHdr><MsgId>${input.id}</MsgId><CreDtTm>${input.to.toISOString()}</CreDtTm></GrpHdr>`,
    `<Stmt><Id>${input.id}</Id><CreDtTm>${input.to.toISOString()}</CreDtTm>`,
    `<FrToDt><FrDtTm>${input.from.toISOString()}</FrDtTm><ToDtTm>${input.to.toISOString()}</ToDtTm></FrToDt>`,
    `<Acct><Id><Othr><Id>${input.account}</Id></Othr></Id><Ccy>${input.currency}</Ccy></Acct>`,
    balance('OPBD', input.openingMinor, input.currency, input.from),
    balance('CLBD', closing, input.currency, input.to),
    ...input.lines.map((line) => entry(line, input.bookedAt)),
    '</Stmt></BkToCstmrStmt></Document>',
    '',
  ].join('\n');
}

function balance(code: string, minor: bigint, currency: string, at: Date): string {
  const amount = formatMinor(minor, currency);
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="${currency}">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>${day(at)}</Dt></Dt></Bal>`;
}

function entry({ endToEndId, money, servicerReference }: StatementLine, bookedAt: Date): string {
  const amount = `<Amt Ccy="${money.currency}">${formatMinor(money.minor, money.currency)}</Amt>`;
  return [
    `<Ntry>${amount}<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>${day(bookedAt)}</Dt></BookgDt><ValDt><Dt>${day(bookedAt)}</Dt></ValDt>`,
    `<AcctSvcrRef>${servicerReference}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>${endToEndId}</EndToEndId></Refs>${amount}<CdtDbtInd>CRDT</CdtDbtInd></TxDtls></NtryDtls></Ntry>`,
  ].join('\n');
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}
