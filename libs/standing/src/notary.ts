import { canonicalBytes, encodeBase64Url, type JsonObject } from '#evidence';

/** What needs a hash or chance; rules and flows are handed it. */
export interface Clerk {
  sha256(bytes: Uint8Array): Uint8Array;
  /** 16 unpredictable bytes. */
  salt(): Uint8Array;
  /** A UUIDv7 of this moment. */
  uuid(at: Date): string;
}

/** A clerk that also signs, with the receipt key. */
export interface Notary extends Clerk {
  /** Who signs: the `iss` of receipts and event tokens. */
  readonly issuer: string;
  /** A compact JWS, under the key that this participant is known to verify. */
  sign(typ: string, claims: JsonObject, reader: string): string;
  /** The same on a thread of its own: for whoever signs many at once. */
  signAside(typ: string, claims: JsonObject, reader: string): Promise<string>;
}

export interface Commitment {
  readonly salt: string;
  readonly commitment: string;
}

/** Binds to bytes without telling anything of them: SHA-256(salt || bytes), both base64url (CONTRACT.md §9). */
export function commitTo(clerk: Clerk, bytes: Uint8Array): Commitment {
  const salt = clerk.salt();
  return { salt: encodeBase64Url(salt), commitment: commitWith(clerk, salt, bytes) };
}

/** The same with a salt that is there already. */
export function commitWith(clerk: Clerk, salt: Uint8Array, bytes: Uint8Array): string {
  return encodeBase64Url(clerk.sha256(concat(salt, bytes)));
}

export function commitToJson(clerk: Clerk, content: unknown): Commitment {
  return commitTo(clerk, canonicalBytes(content));
}

/** A name for one thing that differs from reader to reader: two banks cannot join what they hear by it. */
export function pairwiseName(clerk: Clerk, secretId: string, reader: string): string {
  return encodeBase64Url(clerk.sha256(new TextEncoder().encode(`${secretId} ${reader}`)).subarray(0, 16));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
