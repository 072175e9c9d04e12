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
}

export function warning(code: string, pointer: string, message: string): Remark {
  return { severity: 'warning', code, message, pointer };
}
