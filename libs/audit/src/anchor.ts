import { type CryptoPort, Prover, sameBytes, TileNodes, utf8, verifyCheckpoint, type Vkey } from '#evidence';
import { Refusal } from '#kernel';
import { LOG_CODES } from './codes.js';
import type { LogFiles, LogStore } from './store.js';

/**
 * Compares the database with the last checkpoint kept elsewhere. Passes only where the database's log contains that checkpoint's log.
 * Refuses `log.rolled_back` (the database is older: restored from a backup), `log.forked` (another history), `log.anchor_invalid`
 * and `log.anchor_missing` (checkpoints were signed, but the anchor is gone).
 */
export async function verifyAnchor(
  crypto: CryptoPort,
  store: LogStore,
  files: LogFiles,
  log: { readonly origin: string; readonly size: bigint; readonly vkey: Vkey },
): Promise<void> {
  const [note, last] = [await files.readAnchor(), await store.lastCheckpoint()];
  if (note === undefined) {
    if (last)
      throw refuse(
        LOG_CODES.anchorMissing,
        `the log has ${last.size} published entries, but log-anchor/checkpoint is missing: put it back`,
      );
    return;
  }
  const anchor = await verifyCheckpoint(crypto, utf8.encode(note), [log.vkey]).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    throw error.code === 'checkpoint.untrusted'
      ? refuse(LOG_CODES.forked, `log-anchor/checkpoint belongs to another log, this database is ${log.origin}`)
      : refuse(LOG_CODES.anchorInvalid, `log-anchor/checkpoint was altered or signed with another key: ${error.detail}`);
  });
  if (note === last?.note) return;
  if (log.size < anchor.size) {
    throw refuse(
      LOG_CODES.rolledBack,
      `the database holds ${log.size} entries, but a checkpoint over ${anchor.size} was signed: it is an older copy`,
    );
  }
  if (anchor.size === 0n) return;
  const root = await new Prover(crypto, new TileNodes(crypto, store)).root(anchor.size);
  if (!sameBytes(root, anchor.root)) {
    throw refuse(LOG_CODES.forked, `the first ${anchor.size} entries of the database are not those of the checkpoint that was signed`);
  }
}

const refuse = (code: string, detail: string) => new Refusal('conflict', code, detail);
