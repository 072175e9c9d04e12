import { encodeFactBody } from '#evidence';
import type { Verified } from '#kernel';
import { identityOf, type RecordIdentity, type SignedRecord, statementOf } from '#records';
import { commitWith, type Notary } from '../notary.js';
import { acceptedBody } from '../record-receipt.js';

/** A line that only adds, with all that can be made of it before anything is known of its subject. */
export interface PreparedLine {
  readonly incoming: Verified<SignedRecord>;
  readonly identity: RecordIdentity;
  /** Of the commitment in its fact: its receipt is signed when somebody asks for it. */
  readonly salt: Uint8Array;
  /** What the ledger says of it, and what counts from now on: as they are stored. */
  readonly factBody: string;
  readonly statement: string;
}

/** Done while the page is read, so that nothing waits for it while subjects are held. */
export function prepareLine(incoming: Verified<SignedRecord>, notary: Notary): PreparedLine {
  const { value } = incoming;
  const salt = notary.salt();
  const factBody = encodeFactBody(acceptedBody(value, commitWith(notary, salt, value.payloadBytes)));
  return { incoming, identity: identityOf(value), salt, factBody, statement: JSON.stringify(statementOf(value.record)) };
}
