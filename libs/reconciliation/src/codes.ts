import { Refusal, type RefusalKind } from '#kernel';

/** Why a statement file is refused (CONTRACT.md §8): one row per stable code. */
export const STATEMENT_REFUSALS = {
  'statement.empty': 'malformed',
  'statement.encoding_refused': 'malformed',
  'statement.xml_malformed': 'malformed',
  'statement.dtd_refused': 'malformed',
  'statement.entity_refused': 'malformed',
  'statement.truncated': 'malformed',
  'statement.namespace_unknown': 'unprocessable',
  'statement.message_unknown': 'unprocessable',
  'statement.too_deep': 'too_large',
  'statement.value_too_long': 'too_large',
  'statement.too_many': 'too_large',
  'statement.element_missing': 'malformed',
  'statement.element_repeated': 'malformed',
  'statement.value_refused': 'malformed',
  'statement.date_malformed': 'malformed',
  'statement.amount_malformed': 'malformed',
  'statement.amount_precision': 'unprocessable',
  'statement.amount_too_large': 'unprocessable',
  'statement.currency_unknown': 'unprocessable',
} as const satisfies Record<`statement.${string}`, RefusalKind>;

export type StatementRefusalCode = keyof typeof STATEMENT_REFUSALS;

/** A refusal that names the line of the file, in its sentence and as member `line` of the problem document. */
export function refuseLine(code: StatementRefusalCode, line: number, detail: string, limit?: string): Refusal {
  return new Refusal(STATEMENT_REFUSALS[code], code, `line ${line}: ${detail}`, { ...(limit ? { limit } : {}), extra: { line } });
}
