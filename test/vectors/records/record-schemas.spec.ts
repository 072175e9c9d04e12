import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCreditRecord, RECORD_SCHEMA_VERSION, RECORD_SCHEMAS } from '#contract';
import { encodeBase64Url, readManifest } from '#evidence';
import { Refusal } from '#kernel';

interface Case {
  readonly name: string;
  readonly kind: string;
  readonly code: string;
  readonly payload: Record<string, unknown>;
}

type Validate = (value: unknown) => boolean;
interface Validator {
  new (options: object): { compile(schema: object): Validate };
}

const cases = JSON.parse(readFileSync('test/vectors/records/cases.json', 'utf8')) as Case[];
const validators = new Map<string, Validate>();

/** A validator that others wrote, as partners will use one: the one that Fastify brings. */
function ajv2020(): Validator {
  const fastify = createRequire(import.meta.resolve('fastify'));
  const { default: Ajv } = createRequire(fastify.resolve('@fastify/ajv-compiler'))('ajv/dist/2020.js') as { default: Validator };
  return Ajv;
}

beforeAll(() => {
  const Ajv = ajv2020();
  const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, validateFormats: false });
  for (const { kind, schema } of RECORD_SCHEMAS) validators.set(kind, ajv.compile(schema));
});

function codeOf(payload: unknown): string {
  try {
    parseCreditRecord(payload);
    return 'good';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** What is not about the form of a record, a schema lets pass. */
const isOfForm = (code: string) => code === 'record.malformed' || code === 'amount.malformed';
const verdicts = (kind: string, payload: unknown) => ['record', kind].map((name) => validators.get(name)!(payload));

describe('a record and its schema', () => {
  it('there are cases of every kind and every verdict', () => {
    expect(new Set(cases.map(({ kind }) => kind)).size).toBe(6);
    expect(new Set(cases.map(({ code }) => code)).size).toBe(7);
  });

  it.each(cases)('$name: $code', ({ kind, code, payload }) => {
    expect(codeOf(payload)).toBe(code);
    expect(verdicts(kind, payload)).toEqual([!isOfForm(code), !isOfForm(code)]);
  });

  it('agree about whatever is put in place of a field', () => {
    const good = cases.filter(({ code }) => code === 'good');
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('2026-11-21T08:00:00Z', '0'.repeat(24), 0, 1e21, 1.0, '\ud800', '11'));
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.nat(), value, ({ kind, payload }, nth, instead) => {
        const changed = structuredClone(payload);
        const places = placesIn(changed);
        const [holder, name] = places[nth % places.length]!;
        holder[name] = instead;
        const code = codeOf(changed);
        fc.pre(code !== 'currency.unknown');
        expect(verdicts(kind, changed)).toEqual([!isOfForm(code), !isOfForm(code)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a manifest is read alike', () => {
    const good = {
      iss: 'bank-a',
      jti: '01939a6e-7a00-7abc-8def-0123456789ab',
      iat: 1,
      count: 1,
      root: encodeBase64Url(new Uint8Array(32)),
    };
    const changes = [
      {},
      { count: 0 },
      { iat: 0 },
      { jti: 'x' },
      { root: 'AAAA' },
      { root: `${'A'.repeat(42)}B` },
      { more: 1 },
      { iss: undefined },
    ];
    const verdict = changes.map((change) => {
      const claims = JSON.parse(JSON.stringify({ ...good, ...change })) as typeof good;
      const isGood = validators.get('batch-manifest')!(claims);
      expect([claims, isGood]).toEqual([claims, isRead(claims)]);
      return isGood;
    });
    expect(verdict.filter(Boolean)).toHaveLength(1);
  });
});

function isRead(claims: Parameters<typeof readManifest>[0]): boolean {
  try {
    readManifest(claims);
    return true;
  } catch {
    return false;
  }
}

/** Every member of every object below. */
function placesIn(value: Record<string, unknown>): [Record<string, unknown>, string][] {
  return Object.entries(value).flatMap(([name, below]) => {
    const here: [Record<string, unknown>, string] = [value, name];
    return typeof below === 'object' && below !== null ? [here, ...placesIn(below as Record<string, unknown>)] : [here];
  });
}

describe('a published schema', () => {
  const file = `test/vectors/schemas/${RECORD_SCHEMA_VERSION}.json`;

  it('never changes under its version: raise RECORD_SCHEMA_VERSION, then run with RECORD_SCHEMAS=1', () => {
    if (process.env['RECORD_SCHEMAS'] === '1' && !existsSync(file)) writeFileSync(file, `${JSON.stringify(RECORD_SCHEMAS, null, 2)}\n`);
    expect(RECORD_SCHEMAS).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('names its draft, itself and its version, and refers to nothing elsewhere', () => {
    for (const { kind, schema } of RECORD_SCHEMAS) {
      expect(schema).toMatchObject({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        $id: `urn:tallystick:schema:${kind}:${RECORD_SCHEMA_VERSION}`,
      });
      expect(JSON.stringify(schema)).not.toMatch(/"\$ref":"[^#]/);
    }
  });
});
