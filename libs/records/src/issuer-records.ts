import type { Shard } from '#kernel';

/** A run of `seq` numbers that the issuer has not used, both ends included. */
export interface SeqGap {
  readonly from: number;
  readonly to: number;
}

/** A record that was received under a key since the key is suspected. It stays as it is: what was accepted stays provable. */
export interface SuspectRecord {
  readonly jti: string;
  readonly kind: string;
  readonly seq: number;
  readonly acceptedAt: Date;
  readonly fact: { readonly shard: Shard; readonly seq: bigint };
}

/** Where a page ended; the next one goes on behind it. */
export interface SuspectCursor {
  readonly shard: Shard;
  readonly acceptedAt: Date;
  readonly jti: string;
}

/** What an issuer may ask about all of its records. */
export interface IssuerRecords {
  /** The latest gaps among the last `seqsLookedAtMax` numbers, newest first. */
  gaps(iss: string, countMax: number): Promise<SeqGap[]>;
  /** In the order of shard, time and jti. A page may have fewer than `countMax`, or none, and a next one; `next` is absent on the last page. */
  suspects(
    iss: string,
    key: { readonly kid: string; readonly since: Date },
    after: SuspectCursor | undefined,
    countMax: number,
  ): Promise<{ readonly records: readonly SuspectRecord[]; readonly next?: SuspectCursor }>;
}

export const seqsLookedAtMax = 10_000;
