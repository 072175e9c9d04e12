const DEADLOCK = '40P01';
const roundsMax = 5;

/**
 * Runs a transaction again that PostgreSQL ended to break a deadlock: nothing of it was kept. A single record claims its name and then waits for
 * its subject; a page of a batch holds the subjects and then claims the names. Where both bring the same record, they may wait for each other.
 */
export async function againAfterDeadlock<T>(run: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await run();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK || round === roundsMax) throw error;
    }
  }
}
