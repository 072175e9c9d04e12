import type { VerificationKey } from '#evidence';
import { type Fact, type Facts, Refusal, shardOf } from '#kernel';

/** `INVITED -> ENROLLED -> ACTIVE <-> SUSPENDED -> CLOSED` (CONTRACT.md §1). */
export type ParticipantState = 'INVITED' | 'ENROLLED' | 'ACTIVE' | 'SUSPENDED' | 'CLOSED';

/** A transport certificate. `x5t` is the SHA-256 of the leaf and `issuer` that of its authority's certificate, both base64url (RFC 8705 x5t#S256). */
export interface ParticipantCertificate {
  readonly x5t: string;
  readonly issuer: string;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly revoked?: { readonly at: Date; readonly reason: string };
}

export interface ParticipantKey extends VerificationKey {
  readonly addedAt: Date;
  readonly changedAt: Date;
}

/** An organisation that may talk to us. Links, consents and records belong to it, never to a key or a certificate. */
export interface Participant {
  readonly id: string;
  readonly name: string;
  readonly state: ParticipantState;
  readonly stateReason?: string;
  /** Grows by one with every change. */
  readonly version: bigint;
  readonly createdAt: Date;
  readonly changedAt: Date;
  /** Authorities (x5t#S256 of the CA certificate) under which a certificate may name this participant. */
  readonly authorities: readonly string[];
  readonly certificates: readonly ParticipantCertificate[];
  readonly keys: readonly ParticipantKey[];
}

/** What a rule answers: the participant as it will be, and the facts that say why. */
export interface ParticipantChange {
  readonly next: Participant;
  readonly facts: Facts;
}

export const participantKeysMax = 16;
const ID_FORM = /^[a-z0-9-]{2,40}$/;

/** Refuses `participant.id_malformed`. */
export function parseParticipantId(text: string): string {
  if (ID_FORM.test(text)) return text;
  throw new Refusal('malformed', 'participant.id_malformed', 'a participant id is 2 to 40 of a-z, 0-9 and -', { field: 'id' });
}

/** The participant after a change at `at`, with its version counted on. */
export function changed(known: Participant, at: Date, change: Partial<Participant>): Participant {
  return { ...known, ...change, version: known.version + 1n, changedAt: at };
}

export function participantFact(id: string, kind: string, body: Fact['body']): Fact {
  return { shard: shardOf(id), kind, participant: id, body };
}
