import type { ConfirmedPayment } from '#decisions';
import { formatMinor, shardOf, uuidV7 } from '#kernel';
import type { Direction, References } from '../statement.js';
import type { StatementLine } from '../statement-line.js';

/** The bank of the samples, and the day of its statement. */
export const BANK = 'bank-a';
const DAY = '2026-03-01';

export function sampleUuid(n: number): string {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, n);
  return uuidV7(Date.parse(`${DAY}T00:00:00Z`), random);
}

/** A payment that bank-a should book on 2026-03-01: `P-<n>`, 100.00 CNY. */
export function samplePayment(n: number, change: Partial<ConfirmedPayment> = {}): ConfirmedPayment {
  const uuid = sampleUuid(n);
  const id = { shard: shardOf(uuid), uuid };
  return {
    reservation: id,
    decision: id,
    subject: id,
    service: 'checkout',
    paymentReference: `P-${n}`,
    money: { minor: 10_000n, currency: 'CNY' },
    confirmedAt: new Date(`${DAY}T10:00:00Z`),
    channel: BANK,
    ...change,
  };
}

export interface SampleEntry {
  readonly endToEndId?: string;
  readonly minor?: bigint;
  readonly currency?: string;
  readonly direction?: Direction;
  readonly bookedOn?: string;
  readonly text?: string;
}

export function sampleLine(n: number, entry: SampleEntry = {}): StatementLine {
  const { endToEndId, minor = 10_000n, currency = 'CNY', direction = 'CRDT', bookedOn = DAY, text } = entry;
  const references: References = {
    ...(endToEndId === undefined ? {} : { endToEndId }),
    others: [],
    texts: text === undefined ? [] : [text],
  };
  return { n, statement: 1, fileLine: n, money: { minor, currency }, direction, reversal: false, bookedOn: { day: bookedOn }, references };
}

export interface SampleStatement {
  readonly id?: string;
  readonly openingMinor?: bigint;
  /** Absent: what ties. */
  readonly closingMinor?: bigint;
  readonly day?: string;
}

/** A camt.053.001.08 of these entries, in pieces: large ones need not stand in memory. */
function* camt053Pieces(entries: Iterable<SampleEntry>, statement: SampleStatement = {}): Generator<string> {
  const { id = 'STM-1', openingMinor = 100_000n, day = DAY } = statement;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">\n<BkToCstmrStmt>\n';
  yield `<Stmt><Id>${id}</Id>\n<Acct><Id><Othr><Id>ACC-1</Id></Othr></Id><Ccy>CNY</Ccy></Acct>\n`;
  yield balance('OPBD', openingMinor, day);
  // ISO 20022 puts the balances first; ours are read wherever they stand, so that the closing one can be added up on the way.
  let closing = openingMinor;
  for (const entry of entries) {
    closing += entry.direction === 'DBIT' ? -(entry.minor ?? 10_000n) : (entry.minor ?? 10_000n);
    yield ntry(entry, day);
  }
  yield balance('CLBD', statement.closingMinor ?? closing, day);
  yield '</Stmt>\n</BkToCstmrStmt>\n</Document>\n';
}

export function camt053(entries: Iterable<SampleEntry>, statement: SampleStatement = {}): Uint8Array {
  return new TextEncoder().encode([...camt053Pieces(entries, statement)].join(''));
}

function balance(code: string, minor: bigint, day: string): string {
  const amount = `<Amt Ccy="CNY">${formatMinor(minor, 'CNY')}</Amt><CdtDbtInd>CRDT</CdtDbtInd>`;
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>${amount}<Dt><Dt>${day}</Dt></Dt></Bal>\n`;
}

function ntry({ endToEndId, minor = 10_000n, currency = 'CNY', direction = 'CRDT', bookedOn, text }: SampleEntry, day: string): string {
  const amount = `<Amt Ccy="${currency}">${formatMinor(minor, currency)}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>`;
  const refs = endToEndId === undefined ? '' : `<Refs><EndToEndId>${endToEndId}</EndToEndId></Refs>`;
  const remittance = text === undefined ? '' : `<RmtInf><Ustrd>${text}</Ustrd></RmtInf>`;
  const details = `<NtryDtls><TxDtls>${refs}${remittance}</TxDtls></NtryDtls>`;
  return `<Ntry>${amount}<BookgDt><Dt>${bookedOn ?? day}</Dt></BookgDt>\n${details}</Ntry>\n`;
}
