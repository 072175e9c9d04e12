import { type CryptoPort, Prover, sameBytes, TileNodes, utf8, verifyCheckpoint, type Vkey } from '#evidence';
import { Refusal } from '#kernel';
import { LOG_CODES } from './codes.js';
import type { LogFiles, LogStore } from './store.js';

/** `log.rolled_back`: fewer entries than were signed for. */
export class RolledBack extends Refusal {
  constructor(
    size: bigint,
    readonly signedSize: bigint,
  ) {
    super(
      'conflict',
      LOG_CODES.rolledBack,
      `the database holds ${size} entries, but a checkpoint over ${signedSize} was signed: it is an older copy`,
    );
  }
}

export interface AnchoredLog {
  readonly origin: string;
  readonly vkey: Vkey;
  /** Leaves appended, read when asked: the anchor may be of a moment ago, the size must not be older. */
  readonly size: () => Promise<bigint>;
}

/**
 * Compares the database with the last checkpoint kept elsewhere. Passes only where the database's log contains that checkpoint's log.
 * Refuses `log.rolled_back` (the database is older: restored from a backup), `log.forked` (another history), `log.anchor_invalid`
 * and `log.anchor_missing` (checkpoints were signed, but the anchor is gone).
 *
 * Other sealers may publish meanwhile: size, then anchor, then checkpoint is the order of writing, so they are read the other way round.
 */
export async function verifyAnchor(crypto: CryptoPort, store: LogStore, files: LogFiles, log: AnchoredLog): Promise<void> {
  const last = await store.lastCheckpoint();
  const note = await files.readAnchor();
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
  const size = await log.size();
  if (size < anchor.size) {
    throw new RolledBack(size, anchor.size);
  }
  if (anchor.size === 0n) return;
  const root = await new Prover(crypto, new TileNodes(crypto, store)).root(anchor.size);
  if (!sameBytes(root, anchor.root)) {
    throw refuse(LOG_CODES.forked, `the first ${anchor.size} entries of the database are not those of the checkpoint that was signed`);
  }
}

const refuse = (code: string, detail: string) => new Refusal('conflict', code, detail);
