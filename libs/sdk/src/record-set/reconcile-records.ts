import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type AskingLimits, boundAt, FirstItems, Initiator, nodeCrypto, type SetAgreement, type SetTree, sortedRoot } from '#evidence';
import type { GatewayClient } from '../gateway-client.js';
import { ProblemError } from '../problem-error.js';
import type { SigningKey } from '../record-signer.js';
import { type Healed, healSet } from './heal-set.js';
import type { LocalRecords } from './local-records.js';
import { messageBytesMax, type RemoteSnapshot, RemoteSet } from './remote-set.js';
import { checkAgreement, signStatement } from './state-set.js';

export interface ReconcileOptions {
  /** Send what the gateway lacks and take what we lack, then compare again. Without it differences are only told. */
  readonly heal?: boolean;
  /** Only records with an earlier `iat` (seconds). Name a time some minutes ago while records are being sent. */
  readonly before?: number;
  readonly set?: 'issued';
  readonly limits?: Partial<AskingLimits>;
  /** For how long what was sent is waited for until it stands in the log: 60 s. */
  readonly sealedMsMax?: number;
}

/** How two sets came out. `have` and `need` are what the first comparison found: ids that only we hold, and that only the gateway holds. */
export interface Reconciled extends Healed {
  readonly outcome: 'AGREED' | 'DIFFERENT';
  readonly have: readonly string[];
  readonly need: readonly string[];
  /** Both halves, verified: keep them. */
  readonly agreement?: SetAgreement;
  readonly count: number;
  readonly rounds: number;
  readonly bytes: number;
}

/** The bank, towards its gateway. */
export interface SetParty {
  readonly gateway: Pick<GatewayClient, 'send' | 'fetchKeys'>;
  readonly participant: string;
  readonly origin: string;
  readonly signingKey: SigningKey;
}

/** An honest other side stays far below: a million against nothing takes 35 MB and 150 rounds. */
const LIMITS: AskingLimits = { roundsMax: 2_000, bytesMax: 512 * 1024 * 1024, differencesMax: 2_000_000 };
const sealedMsMaxDefault = 60_000;
const passesMax = 5;
const lookAgainMs = 500;

/**
 * Compares our records with what the gateway holds of them, heals the differences where asked to, and ends in a statement that both signed. Believes
 * nothing that is not proved in the end by the roots. Throws `ProblemError`, `UnverifiedAnswerError`, or a `Refusal` where the other side lies or
 * does not come to an end (`reconcile.*`, `record_set.halves_differ`).
 */
export async function reconcileRecords(party: SetParty, local: LocalRecords, options: ReconcileOptions = {}): Promise<Reconciled> {
  const remote = new RemoteSet(party.gateway, options.set ?? 'issued', options.before);
  const total = { rounds: 0, bytes: 0, submitted: 0, repeated: 0, adopted: 0, refused: [] as Healed['refused'] };
  let first: Pick<Reconciled, 'have' | 'need'> | undefined;
  for (let pass = 1; ; pass++) {
    const snapshot = await remote.look();
    const tree = await local.tree();
    const { have, need, rounds, bytes } = await compare(remote, snapshot, tree, { ...LIMITS, ...options.limits });
    first ??= { have, need };
    Object.assign(total, { rounds: total.rounds + rounds, bytes: total.bytes + bytes });
    const found = { ...total, ...first, count: itemsOf(tree, options.before).size };
    if (have.length + need.length === 0) return { ...found, ...(await agree(party, remote, snapshot, tree)) };
    const isStuck = total.refused.length > 0 && have.length + need.length <= total.refused.length;
    if (!options.heal || pass === passesMax || isStuck) return { ...found, outcome: 'DIFFERENT' };
    const healed = await healSet(party.gateway, remote, local, { have, need });
    Object.assign(total, added(total, healed));
    const sent = healed.submitted + healed.repeated;
    if (sent > 0) await waitBeyond(remote, snapshot, options.sealedMsMax ?? sealedMsMaxDefault);
  }
}

async function compare(remote: RemoteSet, { logIndex }: RemoteSnapshot, tree: SetTree, limits: AskingLimits) {
  const items = itemsOf(tree, remote.before);
  const initiator = new Initiator({ items, sha256: (bytes) => hash('sha256', bytes, 'buffer'), frameBytesMax: messageBytesMax }, limits);
  for (let message: Uint8Array | undefined = initiator.begin(); message;) {
    message = initiator.next(await remote.exchange(logIndex, message));
  }
  return { have: [...initiator.have], need: [...initiator.need], rounds: initiator.rounds, bytes: initiator.bytes };
}

/** What the roots do not confirm was not alike, whatever the fingerprints said. */
async function agree(
  { gateway, participant, origin, signingKey }: SetParty,
  remote: RemoteSet,
  { set, logIndex }: RemoteSnapshot,
  tree: SetTree,
): Promise<Pick<Reconciled, 'outcome' | 'agreement'>> {
  const { size: count } = itemsOf(tree, remote.before);
  const root = await sortedRoot(nodeCrypto, tree, count, () => delay(0));
  const iat = Math.floor(Date.now() / 1_000);
  const place = { set, logIndex: BigInt(logIndex), before: remote.before };
  const statement = { iss: participant, aud: origin, iat, ...place, count, root };
  try {
    const answer = await remote.state(await signStatement(statement, signingKey));
    return { outcome: 'AGREED', agreement: await checkAgreement(answer, statement, { keys: await gateway.fetchKeys() }) };
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'record_set.differs') return { outcome: 'DIFFERENT' };
    throw error;
  }
}

function itemsOf(tree: SetTree, before: number | undefined): FirstItems | SetTree {
  return before === undefined ? tree : new FirstItems(tree, boundAt(before));
}

function added(total: Healed, healed: Healed): Healed {
  return {
    submitted: total.submitted + healed.submitted,
    repeated: total.repeated + healed.repeated,
    adopted: total.adopted + healed.adopted,
    refused: healed.refused,
  };
}

/** What was accepted stands in the log some seconds later: a snapshot that is as old as the last one would lack it again. */
async function waitBeyond(remote: RemoteSet, { logIndex }: RemoteSnapshot, msMax: number): Promise<void> {
  const untilMs = performance.now() + msMax;
  while (performance.now() < untilMs && (await remote.look()).logIndex === logIndex) await delay(lookAgainMs);
}
