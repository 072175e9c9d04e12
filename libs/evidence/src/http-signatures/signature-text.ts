import { Refusal } from '#kernel';
import { componentLine } from './components.js';
import type { HttpMessage } from './http-message.js';
import { formatInnerList, formatItem, type InnerList } from './structured-fields.js';

/** Components that one signature covers. */
const componentsMax = 32;

/**
 * The text that is signed (RFC 9421 §2.5): one line per component, then the covered components with the parameters themselves. `names`: the
 * components, where they are spelt already.
 * Refuses what `componentLine` refuses, and 400 `signature.malformed` for a component that stands twice or too many of them.
 */
export function signatureBase(input: InnerList, message: HttpMessage, names: readonly string[] = input.items.map(formatItem)): string {
  if (names.length > componentsMax || new Set(names).size < names.length) {
    throw new Refusal('malformed', 'signature.malformed', 'each component may be covered once', {
      field: 'signature-input',
      limit: `componentsMax=${componentsMax}`,
    });
  }
  let text = '';
  for (const [i, component] of input.items.entries()) text += `${componentLine(component, names[i]!, message)}\n`;
  return `${text}"@signature-params": ${formatInnerList(input, names)}`;
}
