import type { Money } from '#kernel';
import { refuseLine } from '../codes.js';
import type { Direction, EntryStatus, Reference, ReferenceKind, StatementDate } from '../statement.js';
import {
  type FieldValue,
  readBoolean,
  readCount,
  readDate,
  readDecimal,
  readDirection,
  readMoney,
  readStatus,
  readText,
} from './field-values.js';

/** What has been read so far; the reader makes the finished nouns of it. `fileLine` is where the element starts. */
export interface StatementDraft {
  readonly fileLine: number;
  id?: string;
  account?: string;
  accountCurrency?: string;
  from?: StatementDate;
  to?: StatementDate;
  entries?: number;
  creditEntries?: number;
  debitEntries?: number;
  creditSum?: string;
  debitSum?: string;
}

export interface BalanceDraft {
  readonly fileLine: number;
  code?: string;
  money?: Money;
  direction?: Direction;
  on?: StatementDate;
}

export interface ReferenceDraft {
  endToEndId?: string;
  others: Reference[];
  texts: string[];
}

export interface EntryDraft extends ReferenceDraft {
  readonly fileLine: number;
  money?: Money;
  direction?: Direction;
  status?: EntryStatus;
  reversal?: boolean;
  bookedOn?: StatementDate;
  valueOn?: StatementDate;
}

export interface DetailDraft extends ReferenceDraft {
  readonly fileLine: number;
  money?: Money;
  transactionMoney?: Money;
  instructedMoney?: Money;
  direction?: Direction;
}

export interface Drafts {
  readonly statement: StatementDraft;
  readonly balance: BalanceDraft;
  readonly entry: EntryDraft;
  readonly detail: DetailDraft;
}

type Setter = (drafts: Drafts, value: FieldValue) => void;

/** A setter that refuses `statement.element_repeated`: of two amounts nobody can say which one counts. */
function once<Scope extends keyof Drafts, Key extends keyof Drafts[Scope]>(
  scope: Scope,
  key: Key,
  read: (value: FieldValue) => NonNullable<Drafts[Scope][Key]>,
): Setter {
  return (drafts, value) => {
    if (drafts[scope][key] !== undefined) throw refuseLine('statement.element_repeated', value.line, `${value.name} occurs twice`);
    drafts[scope][key] = read(value);
  };
}

function reference(scope: 'entry' | 'detail', kind: ReferenceKind): Setter {
  return (drafts, value) => void drafts[scope].others.push({ kind, value: readText(value) });
}

function freeText(scope: 'entry' | 'detail'): Setter {
  return (drafts, value) => {
    const text = value.text.trim();
    if (text !== '') drafts[scope].texts.push(text);
  };
}

const ENTRY = 'Stmt/Ntry';
const DETAIL = `${ENTRY}/NtryDtls/TxDtls`;

/** Every element of camt.053.001.02 and later that is read, by its path below `BkToCstmrStmt`. Everything else is skipped. */
export const FIELDS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ['Stmt/Id', once('statement', 'id', readText)],
  ['Stmt/FrToDt/FrDtTm', once('statement', 'from', readDate)],
  ['Stmt/FrToDt/ToDtTm', once('statement', 'to', readDate)],
  ['Stmt/Acct/Id/IBAN', once('statement', 'account', readText)],
  ['Stmt/Acct/Id/Othr/Id', once('statement', 'account', readText)],
  ['Stmt/Acct/Ccy', once('statement', 'accountCurrency', readText)],
  ['Stmt/Bal/Tp/CdOrPrtry/Cd', once('balance', 'code', readText)],
  ['Stmt/Bal/Tp/CdOrPrtry/Prtry', once('balance', 'code', readText)],
  ['Stmt/Bal/Amt', once('balance', 'money', readMoney)],
  ['Stmt/Bal/CdtDbtInd', once('balance', 'direction', readDirection)],
  ['Stmt/Bal/Dt/Dt', once('balance', 'on', readDate)],
  ['Stmt/Bal/Dt/DtTm', once('balance', 'on', readDate)],
  ['Stmt/TxsSummry/TtlNtries/NbOfNtries', once('statement', 'entries', readCount)],
  ['Stmt/TxsSummry/TtlCdtNtries/NbOfNtries', once('statement', 'creditEntries', readCount)],
  ['Stmt/TxsSummry/TtlCdtNtries/Sum', once('statement', 'creditSum', readDecimal)],
  ['Stmt/TxsSummry/TtlDbtNtries/NbOfNtries', once('statement', 'debitEntries', readCount)],
  ['Stmt/TxsSummry/TtlDbtNtries/Sum', once('statement', 'debitSum', readDecimal)],
  [`${ENTRY}/Amt`, once('entry', 'money', readMoney)],
  [`${ENTRY}/CdtDbtInd`, once('entry', 'direction', readDirection)],
  [`${ENTRY}/RvslInd`, once('entry', 'reversal', readBoolean)],
  // A code until version 7, an element with a code since.
  [`${ENTRY}/Sts`, once('entry', 'status', readStatus)],
  [`${ENTRY}/Sts/Cd`, once('entry', 'status', readStatus)],
  [`${ENTRY}/BookgDt/Dt`, once('entry', 'bookedOn', readDate)],
  [`${ENTRY}/BookgDt/DtTm`, once('entry', 'bookedOn', readDate)],
  [`${ENTRY}/ValDt/Dt`, once('entry', 'valueOn', readDate)],
  [`${ENTRY}/ValDt/DtTm`, once('entry', 'valueOn', readDate)],
  [`${ENTRY}/AcctSvcrRef`, reference('entry', 'account_servicer_reference')],
  [`${ENTRY}/NtryRef`, reference('entry', 'entry_reference')],
  [`${ENTRY}/AddtlNtryInf`, freeText('entry')],
  [`${DETAIL}/Refs/EndToEndId`, once('detail', 'endToEndId', readText)],
  [`${DETAIL}/Refs/InstrId`, reference('detail', 'instruction_id')],
  [`${DETAIL}/Refs/TxId`, reference('detail', 'transaction_id')],
  [`${DETAIL}/Refs/AcctSvcrRef`, reference('detail', 'account_servicer_reference')],
  [`${DETAIL}/Refs/PmtInfId`, reference('detail', 'payment_information_id')],
  [`${DETAIL}/RmtInf/Strd/CdtrRefInf/Ref`, reference('detail', 'creditor_reference')],
  [`${DETAIL}/RmtInf/Ustrd`, freeText('detail')],
  [`${DETAIL}/AddtlTxInf`, freeText('detail')],
  [`${DETAIL}/Amt`, once('detail', 'money', readMoney)],
  [`${DETAIL}/AmtDtls/TxAmt/Amt`, once('detail', 'transactionMoney', readMoney)],
  [`${DETAIL}/AmtDtls/InstdAmt/Amt`, once('detail', 'instructedMoney', readMoney)],
  [`${DETAIL}/CdtDbtInd`, once('detail', 'direction', readDirection)],
]);

/** Elements that start a noun of their own. */
export const NOUNS = { statement: 'Stmt', balance: 'Stmt/Bal', entry: ENTRY, detail: DETAIL } as const;
