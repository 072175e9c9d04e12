import pg from 'pg';
import { LostReply, Refusal } from '#kernel';

/** SQLSTATE classes in which the server went away rather than answered: the commit may or may not have happened. */
const GONE = /^(08|57P|58)/;

/** Tells a refusal by PostgreSQL (nothing was saved) from an answer that never came. */
export async function orLostReply<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof pg.DatabaseError && error.code !== undefined && !GONE.test(error.code)) throw error;
    throw new LostReply(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
