import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Column {
  readonly type: string;
  readonly nullable: boolean;
}

/** Column names and types of one table. */
export type Columns = Readonly<Record<string, Column>>;

/** PostgreSQL's name (information_schema, `udt_name`) of each Prisma type, by `@db.` attribute first. */
const TYPES: Readonly<Record<string, string>> = {
  String: 'text',
  Int: 'int4',
  BigInt: 'int8',
  Float: 'float8',
  Boolean: 'bool',
  DateTime: 'timestamp',
  Decimal: 'numeric',
  Json: 'jsonb',
  Bytes: 'bytea',
  '@db.SmallInt': 'int2',
  '@db.Uuid': 'uuid',
  '@db.Timestamptz': 'timestamptz',
  '@db.Date': 'date',
  '@db.VarChar': 'varchar',
  '@db.Char': 'bpchar',
  '@db.Json': 'json',
  '@db.Inet': 'inet',
};

/** The tables that the Prisma schema describes, read from its text. Relations are no columns; enums are compared by `@@map` name. */
export function prismaModels(folder = 'prisma'): Record<string, Columns> {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.prisma'))
    .map((name) => readFileSync(path.join(folder, name), 'utf8').replaceAll(/\/\/.*$/gm, ''))
    .join('\n');
  const blocks = [...text.matchAll(/^(model|enum) (\w+) \{\n([^}]*)\}/gm)].map(([, kind, name, body]) => ({
    kind,
    name: name!,
    body: body!,
  }));
  const enums = Object.fromEntries(
    blocks.filter(({ kind }) => kind === 'enum').map(({ name, body }) => [name, mapped(body, '@@') ?? name]),
  );
  const models = blocks.filter(({ kind }) => kind === 'model');
  return Object.fromEntries(models.map(({ name, body }) => [mapped(body, '@@') ?? name, columns(body, { ...TYPES, ...enums })]));
}

function columns(body: string, types: Readonly<Record<string, string>>): Columns {
  const found: Record<string, Column> = {};
  for (const line of body.split('\n')) {
    const [, field, type, suffix, attributes = ''] = /^\s*(\w+)\s+(\w+)(\?|\[\])?(.*)$/.exec(line) ?? [];
    if (!field || !types[type!]) continue;
    const native = /@db\.\w+/.exec(attributes)?.[0];
    const single = (native && types[native]) ?? types[type!]!;
    found[mapped(attributes, '@') ?? field] = { type: suffix === '[]' ? `_${single}` : single, nullable: suffix === '?' };
  }
  return found;
}

function mapped(text: string, sign: '@' | '@@'): string | undefined {
  return new RegExp(`(?<!@)${sign}map\\("([^"]+)"\\)`).exec(text)?.[1];
}
