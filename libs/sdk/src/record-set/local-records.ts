import type { SetTree } from '#evidence';

/** A record as the gateway holds it, its digest already checked: the JWS, or the bare payload of a line of a sealed batch. */
export interface GivenRecord {
  /** SHA-256 of the payload, base64url. */
  readonly id: string;
  readonly jti: string;
  /** Seconds. */
  readonly iat: number;
  readonly line: string;
}

/** A record of ours that the gateway lacks: what is to be sent, if it bears a signature of its own. */
export interface KeptRecord {
  readonly id: string;
  readonly line: string;
}

/** The records that a bank holds. `RecordFile` is one over a file; a bank's own store is another. */
export interface LocalRecords {
  /** All of them: id, `iat`, and a place by which the store finds a record again (any number up to 2^53). */
  tree(): SetTree | Promise<SetTree>;
  /** Those with these ids. */
  kept(ids: readonly string[]): AsyncIterable<KeptRecord>;
  /** Takes one that was missing. Throw where it is not yours: verify its signature if your keys may have been in wrong hands. */
  add(record: GivenRecord): Promise<void>;
}
