import { Refusal } from '#kernel';
import type { ShardedId } from '#kernel';
import type { SignedRecord } from './record.js';
import { refOf } from './record.js';

/** What makes a record this record: (`iss`, `jti`) with the digest of its payload; `seq` is used once per issuer (CONTRACT.md §3). */
export interface RecordIdentity {
  readonly iss: string;
  readonly jti: string;
  readonly seq: number;
  readonly payloadDigest: Uint8Array;
  readonly ref: ShardedId;
}

/** What the book knew when an identity was claimed. */
export type Claim =
  { readonly outcome: 'claimed' } | { readonly outcome: 'known'; readonly payloadDigest: Uint8Array } | { readonly outcome: 'seq_used' };

export function identityOf({ record, payloadDigest }: SignedRecord): RecordIdentity {
  return { iss: record.iss, jti: record.jti, seq: record.seq, payloadDigest, ref: refOf(record) };
}

/** What a claim says about the record that made it. `seq_used` is refused (409 `record.seq_reused`). */
export function judgeClaim(claim: Claim, identity: RecordIdentity): 'new' | 'repetition' | 'equivocation' {
  if (claim.outcome === 'claimed') return 'new';
  if (claim.outcome === 'known') return sameBytes(claim.payloadDigest, identity.payloadDigest) ? 'repetition' : 'equivocation';
  throw new Refusal('conflict', 'record.seq_reused', `seq ${identity.seq} was used by another record of yours`, { field: '/seq' });
}

export function equivocation({ jti }: RecordIdentity): Refusal {
  return new Refusal('conflict', 'record.equivocation', `record ${jti} was accepted with another payload; this one is kept as evidence`, {
    field: '/jti',
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
