import { Refusal } from '#kernel';
import { decodeBase64Url, encodeBase64Url } from '../jose/base64url.js';
import type { JsonObject } from '../jose/strict-json.js';
import { hashBytes } from '../merkle/tree-hash.js';

/** `typ` of what both sides sign in the end of a reconciliation (CONTRACT.md §3). */
export const SET_STATEMENT_TYPE = 'record-set-statement+jwt';

/** Which records are meant: those of a set whose facts stand below `logIndex` in the log and, where it is said, whose `iat` is below `before`. */
export interface SetPlace {
  readonly set: string;
  readonly logIndex: bigint;
  /** Seconds. */
  readonly before?: number | undefined;
}

/** What each side says of them: how many, and the RFC 6962 root over their ids, sorted; an id is the SHA-256 of a payload. */
export interface SetStatement extends SetPlace {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly count: number;
  readonly root: Uint8Array;
}

/** The gateway's half: it names the half it answers, the key that one was signed with, and the fact that tells of both. */
export interface CounterStatement extends SetStatement {
  /** SHA-256 of the participant's JWS. */
  readonly answers: Uint8Array;
  /** RFC 7638 thumbprint. */
  readonly key: string;
  readonly fact: string;
}

const OWN = ['iss', 'aud', 'iat', 'set', 'log_index', 'before', 'count', 'root'];
const COUNTER = [...OWN, 'answers', 'key', 'fact'];
const INDEX_FORM = /^(0|[1-9][0-9]{0,17})$/;

/** The claims of a statement, in their fixed order. */
export function statementClaims({ iss, aud, iat, set, logIndex, before, count, root }: SetStatement) {
  return {
    iss,
    aud,
    iat,
    set,
    log_index: logIndex.toString(),
    ...(before === undefined ? {} : { before }),
    count,
    root: encodeBase64Url(root),
  };
}

export function counterClaims(statement: CounterStatement) {
  const { answers, key, fact } = statement;
  return { ...statementClaims(statement), answers: encodeBase64Url(answers), key, fact };
}

/** Reads the claims of a participant's half. Refuses 400 `record_set.statement_malformed`; a claim it does not know is refused, too. */
export function readStatement(claims: JsonObject): SetStatement {
  return read(claims, OWN);
}

/** The same for the gateway's half. */
export function readCounterStatement(claims: JsonObject): CounterStatement {
  const { key, fact } = claims;
  if (typeof key !== 'string') throw malformed('key is the thumbprint of the key of the statement that is answered');
  if (typeof fact !== 'string') throw malformed('fact is the name of a fact');
  return { ...read(claims, COUNTER), answers: hashOf(claims, 'answers'), key, fact };
}

function read(claims: JsonObject, names: readonly string[]): SetStatement {
  const { iss, aud, iat, set, log_index: logIndex, before, count } = claims;
  const unknown = Object.keys(claims).find((name) => !names.includes(name));
  if (unknown !== undefined) throw malformed(`${unknown} is no claim of a statement`);
  if (typeof iss !== 'string' || typeof aud !== 'string') throw malformed('iss and aud are who signs and whom it is for');
  if (!isCount(iat)) throw malformed('iat is the time of signing, in seconds');
  if (typeof set !== 'string') throw malformed('set is the name of a record set');
  if (typeof logIndex !== 'string' || !INDEX_FORM.test(logIndex)) throw malformed('log_index is a decimal number, as a string');
  if (before !== undefined && !isCount(before)) throw malformed('before is a time in seconds');
  if (!isCount(count)) throw malformed('count is the number of records');
  const statement = { iss, aud, iat, set, logIndex: BigInt(logIndex), count, root: hashOf(claims, 'root') };
  return before === undefined ? statement : { ...statement, before };
}

function hashOf(claims: JsonObject, name: string): Uint8Array {
  const text = claims[name];
  const refusal = malformed(`${name} is a hash of 32 bytes as base64url`);
  if (typeof text !== 'string') throw refusal;
  try {
    const hash = decodeBase64Url(text, name);
    if (hash.length === hashBytes) return hash;
  } catch {
    throw refusal;
  }
  throw refusal;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const malformed = (detail: string) => new Refusal('malformed', 'record_set.statement_malformed', detail);
