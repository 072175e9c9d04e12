import { Refusal } from '#kernel';
import { sameBytes, utf8 } from '../bytes.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { type JsonWebKey, parsePublicJwk, thumbprint } from '../jose/keys.js';
import type { JsonObject } from '../jose/strict-json.js';
import { type FindKey, verifyJws } from '../jose/verify-jws.js';
import { type CounterStatement, readCounterStatement, readStatement, SET_STATEMENT_TYPE, type SetStatement } from './set-statement.js';

/** Two halves that match: what a participant and the gateway signed about one set, and the participant's key. */
export interface SetAgreement {
  readonly participant: string;
  readonly gateway: string;
  /** The public key of the participant's half, as it was registered; the gateway's half names its thumbprint. */
  readonly key: JsonWebKey;
}

export interface VerifiedAgreement {
  readonly own: SetStatement;
  readonly counter: CounterStatement;
}

/**
 * Verifies both halves with no network. Only the gateway's keys are trusted (`findKey`); its half vouches for the participant's key and for the
 * very bytes of the participant's half. Refuses `signature.*`, 400 `record_set.statement_malformed`, 422 `record_set.halves_differ`.
 */
export async function verifyAgreement(crypto: CryptoPort, agreement: SetAgreement, findKey: FindKey): Promise<VerifiedAgreement> {
  const received = utf8.encode(agreement.participant);
  const gateway = await verifyJws(utf8.encode(agreement.gateway), SET_STATEMENT_TYPE, findKey);
  const counter = readCounterStatement(gateway.value.payload);
  const key = { ...parsePublicJwk(agreement.key), state: 'ACTIVE' as const };
  if (thumbprint(key.jwk) !== counter.key) throw differ('the key is not the one that the gateway names');
  if (!sameBytes(await crypto.sha256(received), counter.answers)) throw differ('the gateway answered another statement');
  const participant = await verifyJws(received, SET_STATEMENT_TYPE, () => key);
  const own = readStatement(participant.value.payload);
  if (!isSameSet(own, counter)) throw differ('they are about different sets, or say different things of one');
  if (own.iss !== counter.aud || own.aud !== counter.iss) throw differ('they are not addressed to each other');
  return { own, counter };
}

/** Whether two statements say the same of the same records. */
export function isSameSet(a: SetStatement, b: SetStatement): boolean {
  return a.set === b.set && a.logIndex === b.logIndex && a.before === b.before && a.count === b.count && sameBytes(a.root, b.root);
}

/** Reads the answer that gives both halves. Refuses 400 `record_set.statement_malformed`. */
export function readAgreement(json: JsonObject): SetAgreement {
  const { participant, gateway, key } = json;
  if (typeof participant === 'string' && typeof gateway === 'string' && typeof key === 'object' && key !== null && !Array.isArray(key)) {
    return { participant, gateway, key: key as JsonWebKey };
  }
  throw new Refusal('malformed', 'record_set.statement_malformed', 'an agreement holds participant, gateway and key');
}

const differ = (detail: string) => new Refusal('unprocessable', 'record_set.halves_differ', `the two halves do not match: ${detail}`);
