import { z } from 'zod';
import { correctionBody, creditRecord } from './credit-record.js';
import { wireMoney } from './performance.js';

/**
 * Raised with every change of a shape: the middle number where what was good stays good, the first where it does not. A test keeps each version as it
 * was published (`test/vectors/schemas`).
 */
export const RECORD_SCHEMA_VERSION = '1.0.0';

/** A JSON Schema (draft 2020-12) that partners can download and check against before they sign. */
export interface RecordSchema {
  readonly kind: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The form that `parseMoney` reads; how many decimals a currency has, and how much is too much, no schema can say. */
const AMOUNT_PATTERN = '^[0-9]{1,18}(\\.[0-9]{1,5})?$';

/** What a refinement says in zod, in the words of JSON Schema. */
function refine({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: Record<string, unknown> }): void {
  if (zodSchema === correctionBody) jsonSchema['oneOf'] = ['rating', 'performance', 'violation'].map((name) => ({ required: [name] }));
  if (zodSchema !== wireMoney) return;
  const properties = jsonSchema['properties'] as Record<string, Record<string, unknown>>;
  Object.assign(properties['amount']!, { pattern: AMOUNT_PATTERN });
}

function schemaOf(kind: string, title: string, shape: z.ZodType): RecordSchema {
  const { $schema, ...rest } = z.toJSONSchema(shape, { override: refine });
  return { kind, schema: { $schema, $id: `urn:tallystick:schema:${kind}:${RECORD_SCHEMA_VERSION}`, title, ...rest } };
}

const hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
const { iss, jti, iat } = creditRecord.options[0].shape;

/** As `readManifest` of evidence reads it, which refuses the same. */
const batchManifest = z.strictObject({
  iss,
  jti,
  iat: iat.describe('the time of signing, in seconds'),
  count: z.int().min(1).describe('the number of lines after the manifest'),
  root: hash.describe('the RFC 6962 root over these lines, each without its end, base64url'),
});

/** One for the payload of each kind of record, one for all of them, and the manifest of a sealed batch. */
export const RECORD_SCHEMAS: readonly RecordSchema[] = [
  schemaOf('record', 'The payload of a credit record, of any kind', creditRecord),
  ...creditRecord.options.map((option) => schemaOf(option.shape.kind.value, `The payload of a ${option.shape.kind.value}`, option)),
  schemaOf('batch-manifest', 'The payload of the manifest of a sealed batch', batchManifest),
];
