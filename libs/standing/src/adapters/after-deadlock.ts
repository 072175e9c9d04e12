const DEADLOCK = '40P01';
const roundsMax = 5;

/**
 * Runs a transaction again that PostgreSQL ended to break a deadlock: nothing of it was kept. Whoever accepts records locks subjects, names and
 * heads in this order, so that nobody waits in a ring; but a record has two names, jti and seq, and where senders use each other's seqs under jtis
 * that sort otherwise, they still may.
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
