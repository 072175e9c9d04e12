import { Refusal } from '#kernel';
import { type LogEntry, parseLogEntry } from '../bundle/log-entry.js';
import { utf8 } from '../bytes.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { parseTlogProof, type TlogProof, verifyTlogProof } from '../note/tlog-proof.js';
import type { Vkey } from '../note/vkey.js';
import type { FactEvidence } from './evidence-form.js';

/** Thrown where a fact is not sealed yet: neither proved nor refuted. */
export class FactPending extends Error {
  override readonly name = 'FactPending';

  constructor(readonly fact: string) {
    super(`fact ${fact} is not sealed yet`);
  }
}

/** A fact as its proof tells it; believed only after `proveFact`. */
export interface ClaimedFact {
  readonly entry: LogEntry;
  readonly proof: TlogProof & { readonly extra: Uint8Array };
}

/** Throws `FactPending`. Refuses `tlog_proof.malformed`, `log_entry.malformed`, `evidence.other_fact`. */
export function readClaim({ fact, proof: text }: FactEvidence): ClaimedFact {
  if (text === undefined) throw new FactPending(fact);
  const { extra, ...proof } = parseTlogProof(utf8.encode(text));
  if (!extra) throw new Refusal('malformed', 'tlog_proof.malformed', `the proof of ${fact} does not carry its entry`);
  const entry = parseLogEntry(extra);
  if (entry.factId !== fact) throw new Refusal('unprocessable', 'evidence.other_fact', `the proof is about ${entry.factId}, not ${fact}`);
  return { entry, proof: { ...proof, extra } };
}

/** By what facts are proved. */
export interface LogProver {
  readonly crypto: CryptoPort;
  readonly logKeys: readonly Vkey[];
}

/** Refuses what `verifyTlogProof` refuses. */
export async function proveFact({ proof }: ClaimedFact, { crypto, logKeys }: LogProver): Promise<void> {
  await verifyTlogProof(crypto, proof, proof.extra, logKeys);
}

/** Facts of one participant in the order of their shard, each proved. Refuses `evidence.facts_order`, `evidence.other_participant` too. */
export async function proveFacts(facts: readonly FactEvidence[], participant: string, by: LogProver): Promise<ClaimedFact[]> {
  const claims = facts.map(readClaim);
  for (const [i, claim] of claims.entries()) {
    if (claim.entry.participant !== participant) {
      throw new Refusal('unprocessable', 'evidence.other_participant', `fact ${claim.entry.factId} is not about ${participant}`);
    }
    if (i > 0 && claim.entry.seq <= claims[i - 1]!.entry.seq) {
      throw new Refusal('unprocessable', 'evidence.facts_order', `fact ${claim.entry.factId} is out of order`);
    }
    await proveFact(claim, by);
  }
  return claims;
}
