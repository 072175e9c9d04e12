import type { Tx } from '#platform';
import { BUILT_IN_LADDER, type Ladder } from '../ladder.js';
import { ladderSchema, readLadder } from '../ladder-document.js';
import type { HeldJson } from './held-subject.js';

/** Ladders by the hash of their policy document: what a hash names never changes. */
const KNOWN = new Map<string, Ladder>();
const knownMax = 64;

interface PolicyJson {
  readonly currency: string;
  readonly timeZone: string;
  readonly ladder?: unknown;
}

/** The ladder that the active policy brings; the built-in one where it brings none. Read in the transaction, once per process and document. */
export async function ladderOf(tx: Pick<Tx, 'query'>, policy: HeldJson['policy']): Promise<Ladder> {
  if (!policy) return BUILT_IN_LADDER;
  const known = KNOWN.get(policy.hash);
  if (known) return known;
  const [row] = await tx.query<{ document: string }>('SELECT document FROM policies WHERE version = $1', [policy.version]);
  const { ladder, currency, timeZone } = JSON.parse(row!.document) as PolicyJson;
  const place = { name: `policy ${policy.version}`, currency, timeZone };
  const read =
    ladder === undefined
      ? { ...BUILT_IN_LADDER, appeal: { ...BUILT_IN_LADDER.appeal, timeZone } }
      : readLadder(ladderSchema.parse(ladder), place);
  if (KNOWN.size >= knownMax) KNOWN.clear();
  KNOWN.set(policy.hash, read);
  return read;
}
