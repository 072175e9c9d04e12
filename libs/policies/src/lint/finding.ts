export type Severity = 'error' | 'warning';

/** What a check has to say about a place in the document. An error keeps the document from deciding; a warning wants a second look. */
export interface Remark {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  /** RFC 6901. */
  readonly pointer: string;
  /** Where it is about the name of a member and not about its value. */
  readonly atName?: boolean;
  /** Where it is about a place inside the string that stands there: UTF-16 units from its start. */
  readonly offset?: number | undefined;
}

export function warning(code: string, pointer: string, message: string, offset?: number): Remark {
  return { severity: 'warning', code, message, pointer, offset };
}
