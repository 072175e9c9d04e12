import { Refusal } from '#kernel';
import type { SqlRunner, Tx } from '#platform';
import { inWritingOrder, type NonceBook, type NonceClaim, nonceLifeSeconds, replayedAmong } from '../nonce-book.js';

interface Waiting extends NonceClaim {
  readonly answer: (first: boolean) => void;
  readonly fail: (error: Error) => void;
}

/** Nonces that one statement writes. */
const claimsMax = 500;
const sweptRowsMax = 20_000;

/**
 * Nonces in PostgreSQL, of requests whose effect has no transaction in which they could be claimed. Claims that come while a statement is under way go together in the next one: many requests share one commit, and
 * an idle gateway adds no wait. A nonce stays claimed when the request fails afterwards; whoever repeats a request signs it anew.
 */
export class PgNonceBook implements NonceBook {
  private waiting: Waiting[] = [];
  private writing = false;

  constructor(private readonly sql: SqlRunner) {}

  /** Refuses 503 `nonce.unconfirmed` where PostgreSQL did not answer. */
  claim(participant: string, nonce: string): Promise<boolean> {
    return new Promise((answer, fail) => {
      this.waiting.push({ participant, nonce, answer, fail });
      if (!this.writing) void this.writeAll();
    });
  }

  /** Forgets what no signature could use any more. Returns how many rows went. */
  async sweep(): Promise<number> {
    // The oldest along their index: by a time that moves while it runs, PostgreSQL would read all nonces instead.
    const gone = await this.sql.query(
      `DELETE FROM request_nonces WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM request_nonces WHERE seen_at < statement_timestamp() - $1 * interval '1 second' ORDER BY seen_at LIMIT $2))
       RETURNING 1 AS gone`,
      [nonceLifeSeconds, sweptRowsMax],
    );
    return gone.length;
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, claimsMax);
      await this.write(batch).catch(() => {
        for (const { fail } of batch) fail(unconfirmed());
      });
    }
    this.writing = false;
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const rows = await this.sql.query<NonceClaim>(CLAIM, columnsOf(inWritingOrder(batch)));
    const replayed = replayedAmong(batch, rows);
    for (const claim of batch) claim.answer(!replayed.has(claim));
  }
}

const CLAIM = `INSERT INTO request_nonces (participant, nonce) SELECT * FROM unnest($1::text[], $2::text[])
               ON CONFLICT DO NOTHING RETURNING participant, nonce`;

function columnsOf(claims: readonly NonceClaim[]): [string[], string[]] {
  return [claims.map(({ participant }) => participant), claims.map(({ nonce }) => nonce)];
}

/** Claims a nonce inside the transaction of its effect: false where it was used before. */
export async function claimNonce(tx: Tx, claim: NonceClaim): Promise<boolean> {
  return (await tx.query(CLAIM, columnsOf([claim]))).length > 0;
}

function unconfirmed(): Refusal {
  return new Refusal('unavailable', 'nonce.unconfirmed', 'the nonce could not be recorded: sign and send again', { retryAfterSeconds: 1 });
}
