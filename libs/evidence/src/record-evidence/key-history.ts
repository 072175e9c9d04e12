import { Refusal } from '#kernel';

/** What a fact about a participant says of one of its keys. */
export interface KeyEvent {
  readonly kind: string;
  /** ISO 8601, UTC: the time of the fact. */
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface NamedKey {
  readonly kid: string;
  readonly alg: string;
  readonly thumbprint: string;
}

/** A change of the registry reaches every process within 10 s (CONTRACT.md §1); lines of a batch, once verified, are saved within their lease of 30 s. */
const acceptanceLagSecondsMax = 40;

/** Facts that register keys: one in the body, or several under `keys`; then the state that such a key begins in. */
const REGISTERS: Readonly<Record<string, string>> = {
  'participant.key_announced': 'ANNOUNCED',
  'participant.key_added': 'ACTIVE',
  'participant.enrolled': 'ACTIVE',
  'participant.enrolment_requested': 'ACTIVE',
};
const MOVES: Readonly<Record<string, string>> = {
  'participant.key_probed': 'PROBED',
  'participant.key_ready': 'READY',
  'participant.key_activated': 'ACTIVE',
  'participant.key_retired': 'RETIRED',
  'participant.key_compromised': 'COMPROMISED',
};

/** Whether this fact registers exactly this key, by its thumbprint, or changes the state of its kid (a kid is never used twice). */
export function concernsKey({ kind, body }: KeyEvent, key: NamedKey): boolean {
  if (Object.hasOwn(MOVES, kind)) return body['kid'] === key.kid;
  return Object.hasOwn(REGISTERS, kind) && [body, ...listed(body['keys'])].some((named) => isSame(named, key));
}

/** The key's state at `at`, from its events in their order; undefined where the first does not register it. */
export function keyStateAt(events: readonly KeyEvent[], at: string): string | undefined {
  const [first, ...later] = events;
  if (!first || !Object.hasOwn(REGISTERS, first.kind)) return undefined;
  return later.reduce((state, event) => (event.at <= at ? (MOVES[event.kind] ?? state) : state), REGISTERS[first.kind]!);
}

/**
 * The state at `at` of a key that was good then. What accepts a record may not have heard of a change for `acceptanceLagSecondsMax`.
 * Refuses `evidence.key_unregistered`, `evidence.key_not_good`.
 */
export function goodStateAt(events: readonly KeyEvent[], at: string): string {
  const state = keyStateAt(events, at);
  if (state === undefined) throw new Refusal('unprocessable', 'evidence.key_unregistered', 'the first fact does not register this key');
  const before = keyStateAt(events, new Date(Date.parse(at) - acceptanceLagSecondsMax * 1_000).toISOString())!;
  if ([state, before].some((one) => one === 'READY' || one === 'ACTIVE')) return state;
  throw new Refusal('unprocessable', 'evidence.key_not_good', `the key was ${state} when the record was accepted`);
}

function listed(keys: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(keys) ? keys.filter((key): key is Record<string, unknown> => typeof key === 'object' && key !== null) : [];
}

function isSame({ kid, alg, jkt }: Readonly<Record<string, unknown>>, key: NamedKey): boolean {
  return kid === key.kid && alg === key.alg && jkt === key.thumbprint;
}
