import { isUuid, Refusal } from '#kernel';
import type { Participant } from '#partners';
import type { RecordFinder, StoredRecord } from '#records';

/** Whoever is not the issuer gets what somebody gets who made the jti up: 404 `record.unknown`. */
export async function findOwnRecord(records: RecordFinder, caller: Participant, jti: string): Promise<StoredRecord> {
  const found = isUuid(jti) ? await records.find(caller.id, jti) : undefined;
  if (!found) throw new Refusal('not_found', 'record.unknown', 'you sent no record of this jti');
  return found;
}
