import { CompactSign } from 'jose';
import {
  isSameSet,
  nodeCrypto,
  parseJsonStrict,
  parsePublicJwk,
  readAgreement,
  SET_STATEMENT_TYPE,
  type SetAgreement,
  type SetStatement,
  statementClaims,
  verifyAgreement,
} from '#evidence';
import { Refusal } from '#kernel';
import type { SigningKey } from '../record-signer.js';
import type { KeySet } from '../verify-offline.js';

/** Signs our half. */
export async function signStatement(statement: SetStatement, { kid, alg, privateKey }: SigningKey): Promise<string> {
  const claims = new TextEncoder().encode(JSON.stringify(statementClaims(statement)));
  return await new CompactSign(claims).setProtectedHeader({ alg, kid, typ: SET_STATEMENT_TYPE }).sign(privateKey);
}

/**
 * Verifies what the gateway answered to our statement, and that it is about what we said. Refuses what `verifyAgreement` refuses, and 422
 * `record_set.halves_differ`. The first half we gave about this snapshot may be an earlier one that says the same.
 */
export async function checkAgreement(answer: unknown, stated: SetStatement, keys: KeySet): Promise<SetAgreement> {
  const agreement = readAgreement(parseJsonStrict(new TextEncoder().encode(JSON.stringify(answer))));
  const { own, counter } = await verifySetAgreement(agreement, keys);
  if (isSameSet(own, stated) && own.iss === stated.iss && counter.iss === stated.aud) return agreement;
  throw new Refusal('unprocessable', 'record_set.halves_differ', 'the gateway answered a statement that is not ours');
}

/** Verifies a kept agreement with no network: `keys` is the gateway's JWKS. */
export async function verifySetAgreement(agreement: SetAgreement, { keys }: KeySet) {
  const known = keys.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' as const }));
  return await verifyAgreement(nodeCrypto, agreement, (kid) => known.find((key) => key.kid === kid));
}
