/** Parts that thousands of decisions have in common, and their JSON once it was asked for. */
const TEXTS = new WeakMap<object, string>();

/** Says that this object will be told again and again and never changes: `partText` then writes it once. */
export function shared<T extends object>(value: T): T {
  if (!TEXTS.has(value)) TEXTS.set(value, '');
  return value;
}

export function isShared(part: object): boolean {
  return TEXTS.has(part);
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

/** `JSON.stringify` of an object, of a shared one once and for all. */
export function partText(part: object): string {
  const known = TEXTS.get(part);
  if (known === undefined) return Array.isArray(part) && part.length === 0 ? '[]' : JSON.stringify(part);
  if (known !== '') return known;
  const text = JSON.stringify(part);
  TEXTS.set(part, text);
  return text;
}

/** `,"name":"value"`, or nothing. */
export function optionalText(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}
