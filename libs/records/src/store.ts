import type { FactPosition, ShardedId } from '#kernel';
import type { ForceChange } from './accept-record.js';
import type { Claim, RecordIdentity } from './identity.js';
import type { RecordInForce, StoredRecord } from './record.js';

/** What a receipt says of a record that was accepted without one. */
export interface ReceiptGrounds {
  readonly iss: string;
  readonly jti: string;
  readonly payloadDigest: Uint8Array;
  readonly salt: Uint8Array;
  readonly accepted: FactPosition;
}

export type WriteReceipt = (grounds: ReceiptGrounds) => Promise<string>;

/** Reads records for their issuer. */
export interface RecordFinder {
  find(iss: string, jti: string): Promise<StoredRecord | undefined>;
  /** The receipts of these records of the issuer, by jti: always the first that was given. */
  receiptsOf(iss: string, jtis: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The highest `seq` the issuer has used; undefined before its first record. */
  lastSeq(iss: string): Promise<number | undefined>;
}

/** What is known of records, inside one transaction. Nothing in it is ever changed or removed, except what is in force. */
export interface RecordBook extends RecordFinder {
  /** Takes the names of a record. A concurrent claim of the same names is waited for. */
  claim(identity: RecordIdentity): Promise<Claim>;
  inForce(subject: ShardedId): Promise<RecordInForce[]>;
  keep(record: StoredRecord): Promise<void>;
  changeForce(subject: ShardedId, change: ForceChange): Promise<void>;
  /** Keeps a second payload under used names; false where exactly this one is kept already. */
  keepEquivocation(identity: RecordIdentity, received: Uint8Array, at: Date): Promise<boolean>;
}
