import { type Fact, shardOf } from '#kernel';
import type { RecordBook, RecordIdentity } from '#records';
import { type Clerk, commitTo } from './notary.js';

/** Keeps a second payload under used names as evidence. Answers the fact that says so; none where exactly this one is kept already. */
export async function keepEvidence(
  records: Pick<RecordBook, 'keepEquivocation'>,
  identity: RecordIdentity,
  received: Uint8Array,
  at: Date,
  clerk: Clerk,
): Promise<Fact[]> {
  if (!(await records.keepEquivocation(identity, received, at))) return [];
  const { commitment } = commitTo(clerk, received);
  return [{ shard: shardOf(identity.iss), kind: 'record.equivocated', participant: identity.iss, body: { commitment } }];
}
