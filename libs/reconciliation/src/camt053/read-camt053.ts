import type { SaxesTagNS } from 'saxes';
import { invariant } from '#kernel';
import { refuseLine } from '../codes.js';
import type { Balance, EntryDetail, References, StatementEntry, StatementHead, StatementPart } from '../statement.js';
import type { FieldValue } from './field-values.js';
import { type BalanceDraft, type DetailDraft, type Drafts, type EntryDraft, FIELDS, NOUNS, type ReferenceDraft } from './fields.js';
import { CAMT053_LIMITS, type Camt053Limits } from './limits.js';
import { StrictXml } from './strict-xml.js';

/**
 * Reads camt.053.001.02 and every later version from bytes as they come, holding one entry at a time.
 * Refuses what `STATEMENT_REFUSALS` lists, with the line. Parts given out before a refusal are not to be used: read to the end first.
 */
export async function* readCamt053(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: Camt053Limits = CAMT053_LIMITS,
): AsyncGenerator<StatementPart> {
  const reader = new Camt053Reader(limits);
  for await (const chunk of chunks) yield* reader.write(chunk);
  yield* reader.end();
}

const NAMESPACE_FORM = /^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|[1-9][0-9])$/;

type Capture = { -readonly [Key in keyof FieldValue]: FieldValue[Key] } & { readonly path: string };

class Camt053Reader {
  private readonly xml: StrictXml;
  private readonly paths: string[] = [];
  private readonly drafts: { -readonly [Scope in keyof Drafts]?: Drafts[Scope] } = {};
  private namespace = '';
  private capture: Capture | undefined;
  private parts: StatementPart[] = [];
  private balances: Balance[] = [];
  private details: EntryDetail[] = [];
  private statementCount = 0;
  private entryCount = 0;
  private detailCount = 0;

  constructor(private readonly limits: Camt053Limits) {
    this.xml = new StrictXml(
      {
        open: (tag, line) => this.open(tag, line),
        text: (text) => this.addText(text),
        close: () => this.close(),
        interruption: (line) => this.interrupted(line),
      },
      limits.elementDepthMax,
    );
  }

  write(chunk: Uint8Array): StatementPart[] {
    this.xml.write(chunk);
    return this.taken();
  }

  end(): StatementPart[] {
    const { line } = this.xml;
    this.xml.end();
    if (this.statementCount === 0) throw refuseLine('statement.empty', line, 'the message has no statement (Stmt)');
    return this.taken();
  }

  private taken(): StatementPart[] {
    const parts = this.parts;
    this.parts = [];
    return parts;
  }

  private open(tag: SaxesTagNS, line: number): void {
    const depth = this.paths.length;
    if (depth < 2) return void this.paths.push(this.checkEnvelope(tag, depth, line));
    this.dropCapture(line);
    // An element of another namespace is not ours to read, whatever its name says.
    const name = tag.uri === this.namespace ? tag.local : `{}${tag.local}`;
    const parent = this.paths[depth - 1]!;
    const path = parent === '' ? name : `${parent}/${name}`;
    this.paths.push(path);
    this.startNoun(path, line);
    if (FIELDS.has(path)) this.capture = { path, name, text: '', line, currency: tag.attributes['Ccy']?.value };
  }

  /** `Document` in a namespace of camt.053, then `BkToCstmrStmt`: anything else is another message. */
  private checkEnvelope(tag: SaxesTagNS, depth: number, line: number): string {
    if (depth === 0 && (tag.local !== 'Document' || !NAMESPACE_FORM.test(tag.uri))) {
      throw refuseLine(
        'statement.namespace_unknown',
        line,
        'expected Document in a namespace urn:iso:std:iso:20022:tech:xsd:camt.053.001.*',
      );
    }
    if (depth === 0) this.namespace = tag.uri;
    else if (tag.local !== 'BkToCstmrStmt' || tag.uri !== this.namespace) {
      throw refuseLine('statement.message_unknown', line, 'expected BkToCstmrStmt below Document');
    }
    return '';
  }

  private startNoun(path: string, fileLine: number): void {
    if (path === NOUNS.detail) {
      this.drafts.detail = { fileLine, others: [], texts: [] };
      this.count('detailsMax', ++this.detailCount, fileLine);
    } else if (path === NOUNS.entry) {
      this.drafts.entry = { fileLine, others: [], texts: [] };
      this.details = [];
      this.count('entriesMax', ++this.entryCount, fileLine);
    } else if (path === NOUNS.balance) {
      this.drafts.balance = { fileLine };
      this.count('balancesPerStatementMax', this.balances.length + 1, fileLine);
    } else if (path === NOUNS.statement) {
      this.drafts.statement = { fileLine };
      this.balances = [];
      this.count('statementsMax', ++this.statementCount, fileLine);
    }
  }

  private count(limit: keyof Camt053Limits, seen: number, line: number): void {
    if (seen > this.limits[limit])
      throw refuseLine('statement.too_many', line, 'more than is accepted in one file', `${limit}=${this.limits[limit]}`);
  }

  private addText(text: string): void {
    if (!this.capture) return;
    this.capture.text += text;
    if (this.capture.text.length > this.limits.valueCharsMax) {
      throw refuseLine(
        'statement.value_too_long',
        this.capture.line,
        `${this.capture.name} is too long`,
        `valueCharsMax=${this.limits.valueCharsMax}`,
      );
    }
  }

  private interrupted(line: number): void {
    if (this.capture) throw refuseLine('statement.xml_malformed', line, `a comment or instruction inside ${this.capture.name}`);
  }

  /** An element below a field: `Sts` of version 8 has one, a value that is text must not. */
  private dropCapture(line: number): void {
    if (this.capture && this.capture.text.trim() !== '') {
      throw refuseLine('statement.xml_malformed', line, `an element inside the text of ${this.capture.name}`);
    }
    this.capture = undefined;
  }

  private close(): void {
    const path = this.paths.pop();
    if (path === undefined || path === '') return;
    if (this.capture?.path === path) this.keepField(this.capture);
    if (path === NOUNS.detail) this.details.push(finishDetail(need(this.drafts.detail)));
    else if (path === NOUNS.balance) this.balances.push(finishBalance(need(this.drafts.balance)));
    else if (path === NOUNS.entry) this.parts.push({ kind: 'entry', entry: this.finishEntry(need(this.drafts.entry)) });
    else if (path === NOUNS.statement) this.parts.push({ kind: 'statement', head: this.finishStatement() });
  }

  private keepField(capture: Capture): void {
    this.capture = undefined;
    // `Sts` closes empty when its code stood in an element below.
    FIELDS.get(capture.path)?.(this.drafts as Drafts, capture);
  }

  private finishEntry(draft: EntryDraft): StatementEntry {
    const { fileLine, bookedOn, valueOn } = draft;
    return {
      statement: this.statementCount,
      fileLine,
      money: required(draft.money, 'Amt', fileLine),
      direction: required(draft.direction, 'CdtDbtInd', fileLine),
      status: required(draft.status, 'Sts', fileLine),
      reversal: draft.reversal ?? false,
      ...(bookedOn ? { bookedOn } : {}),
      ...(valueOn ? { valueOn } : {}),
      references: finishReferences(draft),
      details: this.details,
    };
  }

  private finishStatement(): StatementHead {
    const { fileLine, id, entries, creditEntries, debitEntries, creditSum, debitSum, ...rest } = need(this.drafts.statement);
    const summary = { entries, creditEntries, debitEntries, creditSum, debitSum };
    return {
      ...rest,
      position: this.statementCount,
      id: required(id, 'Id', fileLine),
      balances: this.balances,
      summary: withoutUndefined(summary),
    };
  }
}

function finishBalance(draft: BalanceDraft): Balance {
  const { minor, currency } = required(draft.money, 'Bal/Amt', draft.fileLine);
  const direction = required(draft.direction, 'Bal/CdtDbtInd', draft.fileLine);
  return {
    code: required(draft.code, 'Bal/Tp', draft.fileLine),
    minor: direction === 'DBIT' ? -minor : minor,
    currency,
    on: required(draft.on, 'Bal/Dt', draft.fileLine),
  };
}

function finishDetail(draft: DetailDraft): EntryDetail {
  const money = draft.money ?? draft.transactionMoney ?? draft.instructedMoney;
  return { ...(money ? { money } : {}), ...(draft.direction ? { direction: draft.direction } : {}), references: finishReferences(draft) };
}

function finishReferences({ endToEndId, others, texts }: ReferenceDraft): References {
  return { ...(endToEndId === undefined ? {} : { endToEndId }), others, texts };
}

function required<T>(value: T | undefined, name: string, line: number): T {
  if (value === undefined) throw refuseLine('statement.element_missing', line, `${name} is missing in the element that starts here`);
  return value;
}

function need<T>(draft: T | undefined): T {
  invariant(draft !== undefined, 'an element that closes was opened');
  return draft;
}

function withoutUndefined<T extends object>(fields: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: NonNullable<T[Key]>;
  };
}
