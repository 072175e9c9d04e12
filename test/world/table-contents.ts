import pg from 'pg';

/** A fingerprint of every table's rows, read as their owner: two that are equal mean that nothing was written in between, and nothing removed. */
export async function tableContents(ownerUrl: string): Promise<Readonly<Record<string, string>>> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    const { rows: tables } = await owner.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    const hashes = tables.map(
      ({ name }) =>
        `SELECT '${name}' AS name, count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS rows FROM ${name} AS t`,
    );
    const { rows } = await owner.query<{ name: string; rows: string }>(hashes.join(' UNION ALL '));
    return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
  } finally {
    await owner.end();
  }
}
