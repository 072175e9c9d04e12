import { hash } from 'node:crypto';
import { mapVerified, verifyJws } from '#evidence';
import type { ParticipantRegistry } from '#partners';
import { readSignedRecord } from '#records';
import type { ReadRecord } from '../batch/accept-lines.js';

export const RECORD_TYPE = 'credit-record+jwt';

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

/** Reads one JWS as received and verifies it with the participant's own keys. Refuses what `verifyJws` and `parseCreditRecord` refuse. */
export function recordReader(registry: Pick<ParticipantRegistry, 'findKey'>): ReadRecord {
  return async (participant, received) => {
    const signed = await verifyJws(received, RECORD_TYPE, (kid) => registry.findKey(participant, kid));
    return mapVerified(signed, (json) => readSignedRecord(json, sha256));
  };
}
