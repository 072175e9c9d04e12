import { jwsBytesMax, type JsonObject, type Signer, signJws } from '#evidence';
import type { ShardedId } from '#kernel';
import { isDecisionOf } from './allowance.js';
import { decisionUnknown, receiptTooLong } from './codes.js';
import { DECISION_RECEIPT_TYP, receiptClaims } from './receipt.js';
import type { DecisionLedger } from './store.js';

/** Writes receipts from what the ledger keeps, when somebody asks: deciding does no work for them, and one decision has one receipt. */
export class ReceiptWriter {
  constructor(
    private readonly ledger: Pick<DecisionLedger, 'findById'>,
    /** Asked for each receipt: keys are replaced while we run. */
    private readonly signer: () => Signer,
    private readonly issuer: string,
  ) {}

  /** A compact JWS about a decision of this caller. Refuses 404 `decision.unknown` and 422 `receipt.too_long`. */
  async write(decision: ShardedId, caller: string): Promise<string> {
    const row = await this.ledger.findById(decision);
    if (!row || !isDecisionOf(row, caller)) throw decisionUnknown();
    const receipt = signJws(DECISION_RECEIPT_TYP, receiptClaims(row, this.issuer) as unknown as JsonObject, this.signer());
    if (receipt.length > jwsBytesMax) throw receiptTooLong(jwsBytesMax);
    return receipt;
  }
}
