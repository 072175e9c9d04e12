import { Refusal } from '#kernel';
import { componentLine } from './components.js';
import type { HttpMessage } from './http-message.js';
import { formatInnerList, formatItem, type InnerList } from './structured-fields.js';

/** Components that one signature covers. */
export const componentsMax = 32;

/**
 * The text that is signed (RFC 9421 §2.5): one line per component, then the covered components with the parameters themselves.
 * Refuses what `componentLine` refuses, and 400 `signature.malformed` for a component that stands twice or too many of them.
 */
export function signatureBase(input: InnerList, message: HttpMessage): string {
  const names = input.items.map(formatItem);
  if (names.length > componentsMax || new Set(names).size < names.length) {
    throw new Refusal('malformed', 'signature.malformed', 'each component may be covered once', {
      field: 'signature-input',
      limit: `componentsMax=${componentsMax}`,
    });
  }
  const lines = input.items.map((component) => componentLine(component, message));
  return [...lines, `"@signature-params": ${formatInnerList(input)}`].join('\n');
}
