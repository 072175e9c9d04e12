import { Refusal } from '#kernel';
import { type JsonObject, type JsonValue, parseJsonStrict } from '../jose/strict-json.js';

/** Media type of a record's evidence (CONTRACT.md §3); `v` inside says which version of it. */
export const RECORD_EVIDENCE_TYPE = 'application/vnd.tallystick.record-evidence+json';

/** A fact of the log. `proof` is its .tlog-proof with the entry inside; it is absent until the fact is sealed. */
export interface FactEvidence {
  readonly fact: string;
  readonly proof?: string;
}

/** All that it takes to verify one record without asking anybody: nothing in it is to be believed without `verifyRecordEvidence`. */
export interface RecordEvidence {
  readonly v: 1;
  readonly record: {
    /** The exact bytes received, base64url: the JWS, or the line of a sealed batch. */
    readonly received: string;
    /** Of a line of a sealed batch: the manifest (JWS) that signs it and its RFC 9162 audit path, base64url. */
    readonly sealed?: { readonly manifest: string; readonly index: number; readonly path: readonly string[] };
  };
  readonly key: {
    readonly kid: string;
    readonly alg: string;
    readonly jwk: JsonObject;
    /** RFC 7638, base64url. */
    readonly thumbprint: string;
    readonly stateAtReceipt: string;
    /** What the log says of this key, in its order, from its registration on. */
    readonly facts: readonly FactEvidence[];
  };
  readonly certificate?: {
    readonly 'x5t#S256': string;
    readonly serial: string;
    /** The leaf, then its authority, PEM. */
    readonly chain: string;
    readonly facts: readonly FactEvidence[];
    /** What its authority had revoked then. Absent where the list of that day was not kept yet. */
    readonly revocation?: {
      /** The exact CRL, DER as base64url. */
      readonly list: string;
      /** That the certificate was looked for in it, and not found. */
      readonly checked: FactEvidence;
    };
  };
  readonly receipt: string;
  readonly fact: FactEvidence;
}

/** Most of it would be a revocation list. */
export const recordEvidenceBytesMax = 16 * 1_048_576;
/** A key or certificate goes through a handful of states, but a challenge may be asked for anew and a revocation repeated. */
const factsMax = 256;
const pathHashesMax = 63;

/** Reads the form only, and nothing that is not in it. Refuses 400 `evidence.malformed`. */
export function parseRecordEvidence(bytes: Uint8Array): RecordEvidence {
  if (bytes.length > recordEvidenceBytesMax) throw malformed(`evidence has at most ${recordEvidenceBytesMax} bytes`);
  const whole = members(parseJsonStrict(bytes, 'evidence.malformed'), '', ['v', 'record', 'key', 'receipt', 'fact'], ['certificate']);
  if (whole['v'] !== 1) throw malformed('v: only version 1 is known');
  const certificate = whole['certificate'];
  return {
    v: 1,
    record: readRecord(whole['record']),
    key: readKey(whole['key']),
    ...(certificate === undefined ? {} : { certificate: readCertificate(certificate) }),
    receipt: text(whole['receipt'], 'receipt'),
    fact: readFact(whole['fact'], 'fact'),
  };
}

function readRecord(value: JsonValue | undefined): RecordEvidence['record'] {
  const record = members(value, 'record', ['received'], ['sealed']);
  const received = text(record['received'], 'record.received');
  if (record['sealed'] === undefined) return { received };
  const sealed = members(record['sealed'], 'record.sealed', ['manifest', 'index', 'path']);
  const { index } = sealed;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0)
    throw malformed('record.sealed.index: a number of a line, from 0');
  const path = list(sealed['path'], 'record.sealed.path', pathHashesMax).map((hash) => text(hash, 'record.sealed.path'));
  return { received, sealed: { manifest: text(sealed['manifest'], 'record.sealed.manifest'), index, path } };
}

function readKey(value: JsonValue | undefined): RecordEvidence['key'] {
  const key = members(value, 'key', ['kid', 'alg', 'jwk', 'thumbprint', 'stateAtReceipt', 'facts']);
  const word = (name: string) => text(key[name], `key.${name}`);
  const jwk = isObject(key['jwk']) ? key['jwk'] : undefined;
  if (!jwk) throw malformed('key.jwk: expected an object');
  const names = { kid: word('kid'), alg: word('alg'), jwk, thumbprint: word('thumbprint'), stateAtReceipt: word('stateAtReceipt') };
  return { ...names, facts: readFacts(key['facts'], 'key.facts') };
}

function readCertificate(value: JsonValue): NonNullable<RecordEvidence['certificate']> {
  const certificate = members(value, 'certificate', ['x5t#S256', 'serial', 'chain', 'facts'], ['revocation']);
  const word = (name: string) => text(certificate[name], `certificate.${name}`);
  const names = { 'x5t#S256': word('x5t#S256'), serial: word('serial'), chain: word('chain') };
  const revocation = certificate['revocation'];
  return {
    ...names,
    facts: readFacts(certificate['facts'], 'certificate.facts'),
    ...(revocation === undefined ? {} : { revocation: readRevocation(revocation) }),
  };
}

function readRevocation(value: JsonValue) {
  const { list: bytes, checked } = members(value, 'certificate.revocation', ['list', 'checked']);
  return { list: text(bytes, 'certificate.revocation.list'), checked: readFact(checked, 'certificate.revocation.checked') };
}

function readFacts(value: JsonValue | undefined, place: string): FactEvidence[] {
  return list(value, place, factsMax).map((fact) => readFact(fact, place));
}

function readFact(value: JsonValue | undefined, place: string): FactEvidence {
  const { fact, proof } = members(value, place, ['fact'], ['proof']);
  const name = text(fact, `${place}.fact`);
  return proof === undefined ? { fact: name } : { fact: name, proof: text(proof, `${place}.proof`) };
}

function members(value: JsonValue | undefined, place: string, needed: readonly string[], allowed: readonly string[] = []): JsonObject {
  if (!isObject(value)) throw malformed(`${place}: expected an object`);
  const missing = needed.find((name) => value[name] === undefined);
  if (missing !== undefined) throw malformed(`${place} has no ${missing}`);
  const unknown = Object.keys(value).find((name) => !needed.includes(name) && !allowed.includes(name));
  if (unknown !== undefined) throw malformed(`${place}: ${JSON.stringify(unknown)} is no member of it`);
  return value;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: JsonValue | undefined, place: string): string {
  if (typeof value === 'string') return value;
  throw malformed(`${place}: expected a text`);
}

function list(value: JsonValue | undefined, place: string, countMax: number): readonly JsonValue[] {
  if (Array.isArray(value) && value.length <= countMax) return value as readonly JsonValue[];
  throw malformed(`${place}: expected a list of at most ${countMax}`);
}

const malformed = (detail: string) => new Refusal('malformed', 'evidence.malformed', detail.trimStart());
