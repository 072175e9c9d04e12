import type { Tx } from '#platform';
import type { DisputePolicy } from '../dispute/dispute-policy.js';

/** Keeps what a policy version says of disputes, in the transaction that makes it active: the next dispute goes by it, open ones keep their terms. */
export async function keepDisputes(tx: Tx, policyVersion: bigint, policy: DisputePolicy): Promise<void> {
  await tx.query('INSERT INTO dispute_policies (policy_version, policy) VALUES ($1, $2) ON CONFLICT (policy_version) DO NOTHING', [
    policyVersion,
    JSON.stringify(policy),
  ]);
}
