import type { JsonObject, VerificationKey, VerificationKeyState } from '#evidence';
import type { EventKind } from '#contract';
import { type Fact, type Facts, Refusal, shardOf } from '#kernel';

/** `INVITED -> ENROLLED -> ACTIVE <-> SUSPENDED -> CLOSED` (CONTRACT.md §1). */
export type ParticipantState = 'INVITED' | 'ENROLLED' | 'ACTIVE' | 'SUSPENDED' | 'CLOSED';

/** `ANNOUNCED -> PROBED -> READY -> ACTIVE -> RETIRED | COMPROMISED` (CONTRACT.md §1). Signatures are accepted under READY and ACTIVE keys. */
export type KeyState = 'ANNOUNCED' | 'PROBED' | VerificationKeyState;

/** A transport certificate. `x5t` is the SHA-256 of the leaf and `issuer` that of its authority's certificate, both base64url (RFC 8705 x5t#S256). */
export interface ParticipantCertificate {
  readonly x5t: string;
  readonly issuer: string;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly revoked?: { readonly at: Date; readonly reason: string };
  /** The fewest days ahead of which its end was announced. */
  readonly announcedDays?: number;
}

export interface ParticipantKey extends Omit<VerificationKey, 'state'> {
  readonly state: KeyState;
  readonly addedAt: Date;
  /** When its state last changed. */
  readonly changedAt: Date;
  /** What an ANNOUNCED key must sign. */
  readonly challenge?: string;
  /** When its owner stops using it; nothing is accepted under it from then on. */
  readonly notAfter?: Date;
  /** Of a COMPROMISED key: since when it may have been in wrong hands. */
  readonly suspectedSince?: Date;
  readonly announcedDays?: number;
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
  /** From where it may call (CIDR); empty: from anywhere. */
  readonly addresses: readonly string[];
  /** Kids of our own keys that it has shown to verify. */
  readonly provedGatewayKeys: readonly string[];
  /** A suspension that is set for a time. */
  readonly suspension?: { readonly from: Date; readonly reason: string };
  /** A closing that waits for a second person. */
  readonly closing?: { readonly by: string; readonly reason: string; readonly at: Date };
}

/** What the participant is to hear of one of a change's facts. */
export interface ParticipantNotice {
  readonly fact: Fact;
  readonly kind: EventKind;
  readonly body: JsonObject;
}

/** What a rule answers: the participant as it will be, the facts that say why, and what it is told of them. */
export interface ParticipantChange {
  readonly next: Participant;
  readonly facts: Facts;
  readonly notices?: readonly ParticipantNotice[] | undefined;
}

export const participantKeysMax = 16;
const ID_FORM = /^[a-z0-9-]{2,40}$/;
const NAME_FORM = /^\P{Control}{1,100}$/u;

/** Refuses `participant.id_malformed`. */
export function parseParticipantId(text: string): string {
  if (ID_FORM.test(text)) return text;
  throw new Refusal('malformed', 'participant.id_malformed', 'a participant id is 2 to 40 of a-z, 0-9 and -', { field: 'id' });
}

/** Refuses `participant.name_malformed`. */
export function parseParticipantName(text: string): string {
  if (NAME_FORM.test(text)) return text;
  throw new Refusal('malformed', 'participant.name_malformed', 'a name is 1 to 100 printable characters', { field: 'name' });
}

/** A participant that is nothing yet but a name. */
export function newParticipant(id: string, name: string, state: ParticipantState, at: Date): Participant {
  return {
    id,
    name: parseParticipantName(name),
    state,
    version: 1n,
    createdAt: at,
    changedAt: at,
    authorities: [],
    certificates: [],
    keys: [],
    addresses: [],
    provedGatewayKeys: [],
  };
}

/** The participant after a change at `at`, with its version counted on. */
export function changed(known: Participant, at: Date, change: Partial<Participant>): Participant {
  return { ...known, ...change, version: known.version + 1n, changedAt: at };
}

export function participantFact(id: string, kind: string, body: Fact['body']): Fact {
  return { shard: shardOf(id), kind, participant: id, body };
}
