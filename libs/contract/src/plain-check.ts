import { z } from 'zod';

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, unknown>>;

/** What zod says of a value in the words of JSON Schema, and how each type is checked. Whatever else is said, nothing is plain any more. */
const TYPES: Readonly<Record<string, { readonly words: readonly string[]; check(shape: Shape): Check }>> = {
  string: { words: ['const', 'enum', 'pattern', 'minLength', 'maxLength'], check: textCheck },
  integer: { words: ['minimum', 'maximum'], check: integerCheck },
  array: { words: ['items', 'maxItems'], check: arrayCheck },
  object: { words: ['properties', 'required', 'additionalProperties'], check: objectCheck },
};
const SAYS_NOTHING = ['type', 'format', '$schema', 'description'];

/**
 * Whether a schema would let a value pass as it is, said at a fifth of the schema's price: where millions are read, nearly all pass. What is not
 * plain is the schema's to judge. A check that JSON Schema has no words for makes nothing plain.
 */
export function plainCheck(schema: z.ZodType): Check {
  return checkOf(z.toJSONSchema(schema, { override: tellRefinements }));
}

function tellRefinements({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: Record<string, unknown> }): void {
  const { checks = [], type } = zodSchema._zod.def;
  if (type === 'pipe' || checks.some(({ _zod: { def } }) => def.check === 'custom')) jsonSchema['refined'] = true;
}

function checkOf(shape: Shape): Check {
  const type = TYPES[String(shape['type'])];
  if (!type || !Object.keys(shape).every((word) => type.words.includes(word) || SAYS_NOTHING.includes(word))) return () => false;
  return type.check(shape);
}

function textCheck({ const: only, enum: some, format, pattern, minLength = 0, maxLength = Infinity }: Shape): Check {
  // A format is judged where zod gives its pattern, too; some have none.
  if (format !== undefined && pattern === undefined) return () => false;
  const known = only === undefined ? (some as readonly string[] | undefined) : [only];
  if (known) return (value) => known.includes(value as string);
  const form = new RegExp(String(pattern ?? '^'), 'u');
  const [min, max] = [Number(minLength), Number(maxLength)];
  return (value) => typeof value === 'string' && value.length >= min && value.length <= max && form.test(value);
}

function integerCheck({ minimum, maximum }: Shape): Check {
  const [min, max] = [Number(minimum), Number(maximum)];
  return (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function arrayCheck({ items, maxItems = Infinity }: Shape): Check {
  const item = checkOf(items as Shape);
  return (value) => Array.isArray(value) && value.length <= Number(maxItems) && value.every(item);
}

function objectCheck({ properties, required = [], additionalProperties }: Shape): Check {
  if (additionalProperties !== false) return () => false;
  const members = new Map(Object.entries(properties as Record<string, Shape>).map(([name, shape]) => [name, checkOf(shape)]));
  const needed = required as readonly string[];
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const object = value as Record<string, unknown>;
    for (const name in object) if (members.get(name)?.(object[name]) !== true) return false;
    return needed.every((name) => Object.hasOwn(object, name));
  };
}
