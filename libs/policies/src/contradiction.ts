import type { RefusalKind } from '#kernel';

/** Why a well-formed document cannot decide, and where (RFC 6901). */
export interface Contradiction {
  readonly kind: RefusalKind;
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
  /** Where in the text that stands there, in UTF-16 units from its start. */
  readonly offset?: number;
}

export function contradiction(pointer: string, message: string): Contradiction {
  return { kind: 'unprocessable', code: 'policy.inconsistent', pointer, message };
}

export function says(contradicts: boolean, pointer: string, message: string): Contradiction | undefined {
  return contradicts ? contradiction(pointer, message) : undefined;
}

/** The second and later of equals. */
export function repeated(values: readonly (readonly [value: unknown, pointer: string])[], message: string): Contradiction[] {
  const seen = new Set<unknown>();
  return values.flatMap(([value, pointer]) => {
    if (seen.has(value)) return [contradiction(pointer, message)];
    seen.add(value);
    return [];
  });
}
