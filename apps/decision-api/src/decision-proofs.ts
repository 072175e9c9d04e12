import type { InclusionProofs } from '#audit';
import { type DecisionLedger, decisionUnknown, isDecisionOf, type ReceiptWriter } from '#decisions';
import { formatFactId, Refusal, type ShardedId } from '#kernel';

export interface ProvenReceipt {
  /** Compact JWS. */
  readonly receipt: string;
  readonly fact: string;
  /** Absent until the fact is sealed, as the proof is. */
  readonly logIndex?: string;
  /** `.tlog-proof` (C2SP); its extra line is the log's entry. */
  readonly proof?: string;
}

/** A caller's decisions with the proof that the log holds them. */
export class DecisionProofs {
  constructor(
    private readonly ledger: Pick<DecisionLedger, 'findById'>,
    private readonly receipts: ReceiptWriter,
    private readonly proofs: InclusionProofs,
  ) {}

  /** Refuses 404 `decision.unknown` and 422 `receipt.too_long`. */
  async receipt(decision: ShardedId, caller: string): Promise<ProvenReceipt> {
    const receipt = await this.receipts.write(decision, caller);
    const { fact, sealed } = await this.find(decision, caller);
    return { receipt, fact, ...(sealed ? { logIndex: sealed.index.toString(), proof: sealed.proof } : {}) };
  }

  /** Refuses 404 `decision.unknown`, and `proof.pending` while the decision is not sealed: within seconds. */
  async proof(decision: ShardedId, caller: string): Promise<string> {
    const { sealed } = await this.find(decision, caller);
    if (!sealed) throw new Refusal('not_found', 'proof.pending', 'the decision is not sealed yet: ask again', { retryAfterSeconds: 2 });
    return sealed.proof;
  }

  private async find(decision: ShardedId, caller: string) {
    const row = await this.ledger.findById(decision);
    if (!row || !isDecisionOf(row, caller)) throw decisionUnknown();
    return { fact: formatFactId(row.decision.shard, row.seq), sealed: await this.proofs.find(row.decision.shard, row.seq) };
  }
}
