import type { Money } from '#kernel';

/** ISO 20022 `CdtDbtInd`, seen from the account of the statement: CRDT is money that came in. */
export type Direction = 'CRDT' | 'DBIT';

/** ISO 20022 entry status. Only BOOK has moved the booked balance. */
export type EntryStatus = 'BOOK' | 'PDNG' | 'INFO' | 'FUTR';

/** A date of a statement: its calendar day as written, and the instant where a time with an offset was given. */
export interface StatementDate {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly instant?: Date;
}

/** `code` is ISO 20022 ExternalBalanceType (OPBD, CLBD, PRCD, …) or the bank's own. `minor` is negative for an overdrawn (DBIT) balance. */
export interface Balance {
  readonly code: string;
  readonly minor: bigint;
  readonly currency: string;
  readonly on: StatementDate;
}

/** What names a movement. `endToEndId` is the payment reference that was sent along; the others are asked only where it is absent or unknown. */
export interface References {
  readonly endToEndId?: string;
  /** In the order they are asked: instruction, transaction, creditor reference, account servicer, … */
  readonly others: readonly Reference[];
  /** Free text for people: remittance and additional information. */
  readonly texts: readonly string[];
}

export type ReferenceKind =
  | 'end_to_end_id'
  | 'instruction_id'
  | 'transaction_id'
  | 'creditor_reference'
  | 'account_servicer_reference'
  | 'payment_information_id'
  | 'entry_reference'
  | 'remittance_text';

export interface Reference {
  readonly kind: ReferenceKind;
  readonly value: string;
}

/** One `TxDtls` of an entry. `money` is absent where the bank states no amount of its own for it. */
export interface EntryDetail {
  readonly money?: Money;
  readonly direction?: Direction;
  readonly references: References;
}

/** One `Ntry`: what moved the account in one go. A batch has many details, and its amount is counted once. */
export interface StatementEntry {
  /** 1-based position of the statement in the file. */
  readonly statement: number;
  /** Line of the file on which the entry starts. */
  readonly fileLine: number;
  readonly money: Money;
  readonly direction: Direction;
  readonly status: EntryStatus;
  readonly reversal: boolean;
  readonly bookedOn?: StatementDate;
  readonly valueOn?: StatementDate;
  readonly references: References;
  readonly details: readonly EntryDetail[];
}

/** Counts and sums that the sender states about its own entries (`TxsSummry`). Sums are decimals in the account's currency. */
export interface StatedSummary {
  readonly entries?: number;
  readonly creditEntries?: number;
  readonly debitEntries?: number;
  readonly creditSum?: string;
  readonly debitSum?: string;
}

/** A statement without its entries: what is known about it when it has been read to its end. */
export interface StatementHead {
  readonly position: number;
  readonly id: string;
  readonly account?: string;
  readonly accountCurrency?: string;
  readonly from?: StatementDate;
  readonly to?: StatementDate;
  readonly balances: readonly Balance[];
  readonly summary: StatedSummary;
}

/** What a reader gives, in the order of the file: each statement's entries, then its head. */
export type StatementPart =
  { readonly kind: 'entry'; readonly entry: StatementEntry } | { readonly kind: 'statement'; readonly head: StatementHead };
