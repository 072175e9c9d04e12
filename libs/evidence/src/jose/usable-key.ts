import { Refusal } from '#kernel';
import type { VerificationKey, VerificationKeyState } from './keys.js';

const UNUSABLE: Readonly<Partial<Record<VerificationKeyState, [code: string, detail: string]>>> = {
  RETIRED: ['signature.key_retired', 'this key was retired: sign with your active key'],
  COMPROMISED: ['signature.key_compromised', 'this key was reported compromised: nothing signed with it is accepted'],
};

/** The registered key, where signatures under it are accepted. Refuses 401 `signature.key_unknown`, `.key_retired`, `.key_compromised`. */
export function usableKey(kid: string, found: VerificationKey | undefined): VerificationKey {
  if (!found) throw new Refusal('unauthenticated', 'signature.key_unknown', `no key ${kid} is registered for you`, { field: 'kid' });
  const unusable = UNUSABLE[found.state];
  if (unusable) throw new Refusal('unauthenticated', ...unusable, { field: 'kid' });
  return found;
}
