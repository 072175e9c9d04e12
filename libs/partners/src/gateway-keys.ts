import { type JsonWebKey, type Signer, signJws } from '#evidence';
import { type Clock, Refusal } from '#kernel';
import type { EnrolmentClerk } from './enrolments.js';
import { changed, type Participant, type ParticipantChange, participantFact } from './participant.js';
import type { ParticipantRegistry } from './participant-registry.js';
import type { ParticipantStore } from './store.js';

/** What we sign for participants: answers of the door, and receipts and event tokens. */
export const GATEWAY_KEY_USES = ['response', 'receipt'] as const;
export type GatewayKeyUse = (typeof GATEWAY_KEY_USES)[number];

/** `next` is announced: a participant gets it only after it has shown that it verifies it. */
export interface GatewayKeyPair {
  readonly current: Signer;
  readonly next?: Signer;
}
export type GatewayKeyRing = () => Readonly<Record<GatewayKeyUse, GatewayKeyPair>>;

export interface GatewayKeyView {
  readonly kid: string;
  readonly use: GatewayKeyUse;
  /** ANNOUNCED: not used towards you until you have proved that you verify it. */
  readonly state: 'ACTIVE' | 'ANNOUNCED' | 'PROVED' | 'REPLACED';
}

export const KEY_CHECK_TYPE = 'key-check+jwt';
export const checkTokens = 8;
const checkLifeMs = 600_000;

/** Our own keys towards each participant: rotation in which nobody ever gets a signature that it cannot verify (CONTRACT.md §1). */
export class GatewayKeys {
  constructor(
    private readonly ring: GatewayKeyRing,
    private readonly store: ParticipantStore,
    private readonly registry: Pick<ParticipantRegistry, 'findAsSeen' | 'refresh'>,
    private readonly clerk: Pick<EnrolmentClerk, 'digest' | 'uuid'>,
    private readonly clock: Clock,
  ) {}

  /** The key that this participant can verify; of whom we know nothing, gets the current one. */
  keyFor(use: GatewayKeyUse, participant: string | undefined): Signer {
    const { current, next } = this.ring()[use];
    const proved = next && participant !== undefined && this.registry.findAsSeen(participant)?.provedGatewayKeys.includes(next.kid);
    return proved ? next : current;
  }

  /** The public halves of what we sign with, announced keys included. */
  published(): JsonWebKey[] {
    return Object.values(this.ring()).flatMap(({ current, next }) => [current.publicJwk, ...(next ? [next.publicJwk] : [])]);
  }

  view({ provedGatewayKeys }: Participant): GatewayKeyView[] {
    return GATEWAY_KEY_USES.flatMap((use): GatewayKeyView[] => {
      const { current, next } = this.ring()[use];
      if (!next) return [{ kid: current.kid, use, state: 'ACTIVE' }];
      const proved = provedGatewayKeys.includes(next.kid);
      return [
        { kid: current.kid, use, state: proved ? 'REPLACED' : 'ACTIVE' },
        { kid: next.kid, use, state: proved ? 'PROVED' : 'ANNOUNCED' },
      ];
    });
  }

  /**
   * Eight tokens under the announced key, some of them forged: who says exactly which are good, verifies. Nothing is stored; which are good
   * follows from a signature that nobody else can make. Refuses 404 `gateway_key.unknown`.
   */
  check(participant: string, kid: string, issuer: string): { readonly check: string; readonly tokens: readonly string[] } {
    const signer = this.announced(kid);
    const at = this.clock.now();
    const check = this.clerk.uuid(at);
    const good = this.goodTokens(signer, participant, check);
    const forger: Signer = { ...signer, sign: (bytes) => signer.sign(bytes).map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
    const tokens = Array.from({ length: checkTokens }, (_, i) => {
      const claims = { iss: issuer, aud: participant, iat: Math.floor(at.getTime() / 1_000), jti: `${check}.${i}` };
      return signJws(KEY_CHECK_TYPE, claims, good.includes(i) ? signer : forger);
    });
    return { check, tokens };
  }

  /**
   * `valid`: which tokens of the check the participant found good. From now on it gets signatures by this key. Refuses 404
   * `gateway_key.unknown`, 409 `gateway_key.check_expired`, 422 `gateway_key.check_failed`.
   */
  async prove(participant: string, kid: string, { check, valid }: { check: string; valid: readonly number[] }): Promise<void> {
    const signer = this.announced(kid);
    const age = this.clock.now().getTime() - parseInt(check.replace('-', '').slice(0, 12), 16);
    if (!(age >= -checkLifeMs && age <= checkLifeMs))
      throw new Refusal('conflict', 'gateway_key.check_expired', 'this check ran out: ask for another');
    const good = this.goodTokens(signer, participant, check);
    const told = new Set(valid);
    if (told.size !== good.length || good.some((i) => !told.has(i))) {
      throw new Refusal(
        'unprocessable',
        'gateway_key.check_failed',
        'this is not the list of the tokens that verify: ask for another check',
      );
    }
    await this.store.change(participant, (known) => known && proveGatewayKey(known, kid, this.clock.now()));
    await this.registry.refresh();
  }

  private announced(kid: string): Signer {
    const pair = Object.values(this.ring()).find(({ next }) => next?.kid === kid);
    if (!pair?.next) throw new Refusal('not_found', 'gateway_key.unknown', 'we have announced no key of this kid');
    return pair.next;
  }

  /** Neither none nor all: a reader that accepts or refuses everything is found out. */
  private goodTokens(signer: Signer, participant: string, check: string): number[] {
    const secret = this.clerk.digest(signer.sign(new TextEncoder().encode(`key-check ${participant} ${check}`)));
    const bits = secret.charCodeAt(0) ^ (secret.charCodeAt(1) << 2);
    const good = Array.from({ length: checkTokens }, (_, i) => i).filter((i) => (bits >> i) & 1);
    return good.length === 0 || good.length === checkTokens ? [0, 3, 5] : good;
  }
}

function proveGatewayKey(known: Participant, kid: string, at: Date): ParticipantChange | undefined {
  if (known.provedGatewayKeys.includes(kid)) return undefined;
  const next = changed(known, at, { provedGatewayKeys: [...known.provedGatewayKeys, kid] });
  return { next, facts: [participantFact(known.id, 'participant.gateway_key_proved', { kid })] };
}
