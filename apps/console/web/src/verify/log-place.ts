import { Refusal } from '#kernel';
import {
  type Checkpoint,
  leafHash,
  parseJsonStrict,
  parseLogEntry,
  parseTlogProof,
  toBase64,
  utf8,
  verifyCheckpoint,
  verifyInclusion,
  type Vkey,
  webCrypto,
} from '#evidence/verifier';
import { NotSealedYet, type PlannedCheck } from './checks.js';

/** What a receipt says of its place in the log. */
export interface Promised {
  readonly fact: string;
  /** SHA-256, hex, as the fact's body must hold it. */
  readonly commitment?: string;
  /** The entry's number, of an answer that says it beside the proof. */
  readonly logIndex?: string | undefined;
}

/**
 * That a proof carries the promised entry, that a trusted log signed the checkpoint, and that the entry stands under it.
 * @param promised asked when the checks before have held; undefined: the proof stands for itself
 */
export function placeInLog(proofText: string | undefined, trusted: readonly Vkey[], promised: () => Promised | undefined): PlannedCheck[] {
  let proof: ReturnType<typeof readProof>;
  let checkpoint: Checkpoint;
  return [
    {
      title: 'The log entry says the same',
      run: async () => {
        proof = readProof(proofText);
        const promise = promised();
        if (promise) requirePromised(proof, promise);
        const { factId, kind, at } = proof.entry;
        return `Fact ${factId}: ${kind} at ${at}${promise?.commitment === undefined ? '' : ', with this commitment'}.`;
      },
    },
    {
      title: 'The checkpoint is signed by a log you trust',
      run: async () => {
        checkpoint = await verifyCheckpoint(webCrypto, utf8.encode(proof.checkpoint), trusted);
        return `Log ${checkpoint.origin}, ${checkpoint.size} entries, root ${toBase64(checkpoint.root)}.`;
      },
    },
    {
      title: 'The entry stands in the log under this checkpoint',
      run: async () => {
        const { size, root } = checkpoint;
        const leaf = await leafHash(webCrypto, proof.extra);
        await verifyInclusion(webCrypto, { index: proof.index, size, root, leaf, path: proof.path });
        return `Entry ${proof.index}, by an inclusion proof of ${proof.path.length} hashes (RFC 9162).`;
      },
    },
  ];
}

function readProof(text: string | undefined) {
  if (text === undefined)
    throw new NotSealedYet('There is no proof in it yet: ask for the document again, some seconds after it was made.');
  const { extra, ...proof } = parseTlogProof(utf8.encode(text));
  if (!extra)
    throw new Refusal('unprocessable', 'tlog_proof.no_entry', 'the proof does not carry its entry, so there is nothing to check it for');
  return { ...proof, extra, entry: parseLogEntry(extra) };
}

function requirePromised({ index, extra, entry }: ReturnType<typeof readProof>, { fact, commitment, logIndex }: Promised): void {
  if (entry.factId !== fact)
    throw new Refusal('unprocessable', 'receipt.other_fact', `the proof is about ${entry.factId}, the receipt about ${fact}`);
  if (logIndex !== undefined && logIndex !== index.toString())
    throw new Refusal('unprocessable', 'receipt.other_index', `the proof is about entry ${index}, the answer says ${logIndex}`);
  if (commitment === undefined) return;
  const { body } = parseJsonStrict(extra, 'log_entry.malformed');
  if ((body as { commitment?: unknown }).commitment !== commitment)
    throw new Refusal('unprocessable', 'receipt.other_commitment', `${fact} in the log commits to something else than this receipt tells`);
}
