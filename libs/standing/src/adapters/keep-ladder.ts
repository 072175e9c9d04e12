import type { Tx } from '#platform';
import type { Ladder, Rung, Sanction } from '../ladder.js';

/** A ladder as it is kept: amounts are numbers, exact because none is above 10^15. */
export type LadderJson = Omit<Ladder, 'rungs'> & {
  readonly rungs: readonly (Omit<Rung, 'sanctions'> & { readonly sanctions: readonly SanctionJson[] })[];
};
type SanctionJson = Omit<Sanction, 'limitMinor'> & { readonly limitMinor?: number };

/**
 * Keeps the ladder that a policy version brings, in the transaction that makes the version active: the next judgement climbs it. What
 * stands keeps the terms under which it was imposed.
 */
export async function keepLadder(tx: Tx, policyVersion: bigint, ladder: Ladder): Promise<void> {
  const text = JSON.stringify(ladder, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
  await tx.query('INSERT INTO ladders (policy_version, ladder) VALUES ($1, $2) ON CONFLICT (policy_version) DO NOTHING', [
    policyVersion,
    text,
  ]);
}

export function readKeptLadder(json: LadderJson): Ladder {
  const rungs = json.rungs.map(({ id, sanctions }) => ({ id, sanctions: sanctions.map(readSanction) }));
  return { ...json, rungs };
}

function readSanction({ limitMinor, ...sanction }: SanctionJson): Sanction {
  return limitMinor === undefined ? sanction : { ...sanction, limitMinor: BigInt(limitMinor) };
}
