import { decodeBase64Url, parseJsonStrict } from '#evidence';
import type { Participant } from './participant.js';

/**
 * The suspicion that an accepted JWS of this participant is under: its key was reported compromised, and it came after the suspected time
 * by our clock, whatever it claims itself. It stays accepted and provable.
 */
export function suspicionOf({ keys }: Participant, jws: string, acceptedAt: Date): { kid: string; since: Date } | undefined {
  const suspected = keys.filter(({ suspectedSince }) => suspectedSince !== undefined && suspectedSince <= acceptedAt);
  if (suspected.length === 0) return undefined;
  const { kid } = parseJsonStrict(decodeBase64Url(jws.slice(0, jws.indexOf('.')), 'header'));
  const key = suspected.find((one) => one.kid === kid);
  return key && { kid: key.kid, since: key.suspectedSince! };
}
