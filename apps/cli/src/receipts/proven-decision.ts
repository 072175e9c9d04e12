import { nodeCrypto, parseJsonStrict, parseLogEntry, parseTlogProof, toBase64, utf8, type Vkey, verifyTlogProof } from '#evidence';
import { Refusal } from '#kernel';

/** What a decision receipt says of its place in the log. */
export interface ReceiptedFact {
  readonly fact: string;
  /** SHA-256, hex. */
  readonly commitment: string;
}

/**
 * Checks offline that the log holds the fact which a decision receipt names, and that the fact commits to what the receipt tells. Refuses
 * what `verifyTlogProof` refuses, and 422 `receipt.other_fact`, `receipt.other_index`, `receipt.other_commitment` and `tlog_proof.no_entry`.
 * @param told of an answer that says it beside the proof: the entry's number
 */
export async function verifyDecisionProof(
  proofText: string,
  { fact, commitment }: ReceiptedFact,
  trusted: readonly Vkey[],
  told?: string,
): Promise<string[]> {
  const proof = parseTlogProof(utf8.encode(proofText));
  if (!proof.extra) throw new Refusal('unprocessable', 'tlog_proof.no_entry', 'the proof does not carry its entry');
  const { origin, size, root } = await verifyTlogProof(nodeCrypto, proof, proof.extra, trusted);
  const { factId, kind, at } = parseLogEntry(proof.extra);
  if (factId !== fact) throw new Refusal('unprocessable', 'receipt.other_fact', `the proof is about ${factId}, the receipt about ${fact}`);
  requireIndex(told, proof.index);
  const { body } = parseJsonStrict(proof.extra, 'log_entry.malformed');
  if ((body as { commitment?: unknown }).commitment !== commitment)
    throw new Refusal('unprocessable', 'receipt.other_commitment', `${fact} in the log commits to something else than this receipt tells`);
  return [
    `entry       ${proof.index} (fact ${fact}): ${kind} at ${at}, with the commitment of this receipt`,
    `log         ${origin}, ${size} entries, root ${toBase64(root)}`,
  ];
}

/** An answer names the entry's number beside the proof: refuses 422 `receipt.other_index` where it is another's. */
export function requireIndex(told: string | undefined, index: bigint): void {
  if (told !== undefined && told !== index.toString())
    throw new Refusal('unprocessable', 'receipt.other_index', `the proof is about entry ${index}, the answer says ${told}`);
}
