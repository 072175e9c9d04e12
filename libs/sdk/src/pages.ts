/** Rows asked for at once: as many as the doors give. */
const pageRows = 200;

/** What a list is asked with beside its page; what is undefined is left out. */
export type ListQuery = Readonly<Record<string, string | undefined>>;

/** The address of a list's page. `after`: the `next` of the page before. */
export function pagePath(path: string, query: ListQuery, after: string | undefined): string {
  const params = new URLSearchParams({ limit: String(pageRows) });
  for (const [name, value] of Object.entries({ ...query, after })) if (value !== undefined) params.set(name, value);
  return `${path}?${params.toString()}`;
}

/** Every row of a list, asked for page by page as they are taken: a list of any length in constant memory. `name`: where the rows stand in a page. */
export async function* rowsOf<Row>(read: (after: string | undefined) => Promise<unknown>, name: string): AsyncGenerator<Row> {
  for (let after: string | undefined; ;) {
    const page = (await read(after)) as { readonly next?: string } & Readonly<Record<string, readonly Row[]>>;
    yield* page[name]!;
    after = page.next;
    if (after === undefined) return;
  }
}
