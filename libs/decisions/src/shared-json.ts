/** Parts that thousands of decisions have in common, and their JSON once it was asked for. */
const TEXTS = new WeakMap<object, string>();

/** Says that this object will be told again and again and never changes: `jsonText` then writes it once. */
export function shared<T extends object>(value: T): T {
  if (!TEXTS.has(value)) TEXTS.set(value, '');
  return value;
}

/** What is made once for each key, and shared from then on. */
export function sharedBy<Key extends object, T extends object>(make: (key: Key) => T): (key: Key) => T {
  const made = new WeakMap<Key, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = shared(make(key));
    made.set(key, value);
    return value;
  };
}

/** `JSON.stringify` of a plain object, to the letter (its spec holds it to that), without writing the shared parts anew. */
export function jsonText(value: object): string {
  let text = '{';
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}"${name}":${typeof part === 'object' && part !== null ? partText(part as object) : JSON.stringify(part)}`;
  }
  return `${text}}`;
}

function partText(part: object): string {
  const known = TEXTS.get(part);
  if (known === undefined) return JSON.stringify(part);
  if (known !== '') return known;
  const text = JSON.stringify(part);
  TEXTS.set(part, text);
  return text;
}
