import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../testing/database.js';
import { type Columns, prismaModels } from '../testing/prisma-models.js';
import { PrismaService } from './prisma.module.js';

const models = Object.entries(prismaModels());

describe('the Prisma schema', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.close());

  it.each(models)('describes the table %s as the migrations made it', async (table, columns) => {
    expect(await columnsOf(table)).toEqual(columns);
  });

  it('is served by a client that acts as the applications’ role', async () => {
    const prisma = new PrismaService(fresh.database);
    const [row] = await prisma.$queryRaw<{ role: string }[]>`SELECT current_user::text AS role`;
    expect(row).toEqual({ role: 'tallystick_app' });
    expect(await prisma.shardHead.count()).toBe(32);
    await expect(prisma.storedFact.deleteMany()).rejects.toThrow(/permission denied/);
    await prisma.$disconnect();
    await expect(fresh.database.query('SELECT 1')).resolves.toHaveLength(1);
  });

  async function columnsOf(table: string): Promise<Columns> {
    const rows = await fresh.database.query<{ name: string; type: string; nullable: boolean }>(
      `SELECT attname AS name, typname AS type, NOT attnotnull AS nullable
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
      [table],
    );
    return Object.fromEntries(rows.map(({ name, type, nullable }) => [name, { type, nullable }]));
  }
});
