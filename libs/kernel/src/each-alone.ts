/**
 * Works on each in turn, for a sweep: one that cannot be done is tried again with the next sweep, and until then holds up nobody after it.
 * Throws the first failure, when all have had their turn.
 */
export async function eachAlone<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) await work(item).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
