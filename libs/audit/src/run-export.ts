import {
  type CryptoPort,
  DIGESTED_PARTS,
  type DigestedPart,
  type Ed25519Signer,
  concatBytes,
  exportKeyName,
  type ExportManifest,
  formatEntryLine,
  formatRangeProof,
  formatVkey,
  hashBytes,
  isIncluded,
  parseCheckpoint,
  parseLogEntry,
  parseNote,
  Prover,
  signManifest,
  tarMemberBytesMax,
  TileNodes,
  toBase64,
  utf8,
  type Vkey,
  vkeyOf,
} from '#evidence';
import { formatId, Refusal, shardOf } from '#kernel';
import type { Export, ExportPlan, ExportProgress, Exports, ExportStore } from './exports.js';
import { entriesAtOnceMax, type LogEntries } from './log-entries.js';
import type { LogStore } from './store.js';

/** A bundle while it is written. Every write names its place, so a repeated write changes nothing. */
export interface BundleFile {
  /** Nothing of an earlier run is in it. */
  readonly isFresh: boolean;
  writeLeaves(offset: number, bytes: Uint8Array): Promise<void>;
  writeLines(offset: number, bytes: Uint8Array): Promise<void>;
  /** Durable when it returns. */
  sync(): Promise<void>;
  /** Adds the other parts, closes the archive and gives it its final name, which is returned. */
  finish(linesBytes: number, parts: Readonly<Record<string, Uint8Array>>): Promise<string>;
  close(): Promise<void>;
}

export interface BundleFiles {
  open(id: string, leavesBytes: number): Promise<BundleFile>;
}

export interface ExportRunnerParts {
  readonly crypto: CryptoPort;
  readonly exports: Exports;
  readonly requests: ExportStore;
  readonly log: LogStore;
  readonly entries: LogEntries;
  readonly files: BundleFiles;
  readonly signer: Ed25519Signer & { readonly kid: string };
  readonly logKey: () => Promise<Vkey>;
  readonly pause: (ms: number) => Promise<void>;
}

/** How often, and how many times, a run looks whether the facts before the request are sealed. */
const coverPollMs = 250;
const coverPollsMax = 120;

export type OnProgress = (done: bigint, total: bigint) => void | Promise<void>;

/**
 * Writes export bundles in constant memory. A run that died is taken up where its progress was saved; two runs of one export at once
 * write the same bytes to the same places.
 */
export class ExportRunner {
  constructor(private readonly parts: ExportRunnerParts) {}

  /** @returns the file's name below the exports folder. Refuses `export.unknown`, `export.not_sealed` (try again), `export.too_large`, `log.fact_altered`. */
  async run(id: string, onProgress: OnProgress = () => undefined): Promise<string> {
    const known = await this.parts.exports.get(id);
    if (known.state === 'DONE') return known.file!;
    try {
      const planned = known.plan ? known : await this.parts.requests.begin(id, await this.plan(known));
      return await this.write(planned, planned.plan!, onProgress);
    } catch (error) {
      if (error instanceof Refusal && error.kind !== 'unavailable') await this.parts.requests.fail(id, error.message);
      throw error;
    }
  }

  private async plan({ id, filter }: Export): Promise<ExportPlan> {
    for (let poll = 0; !(await this.parts.requests.isCovered(id)); poll++) {
      if (poll === coverPollsMax)
        throw notSealed('facts recorded before the request are not sealed yet; is the worker running, and the log without alarm?');
      await this.parts.pause(coverPollMs);
    }
    const checkpoint = await this.parts.log.lastCheckpoint();
    if (!checkpoint) throw notSealed('the log has no checkpoint yet');
    const asDate = (time: string | undefined) => (time === undefined ? undefined : new Date(time));
    const { start, end } = await this.parts.log.findRange(asDate(filter.from), asDate(filter.to));
    const last = end < checkpoint.size ? end : checkpoint.size;
    return { start: start < last ? start : last, end: last, checkpoint: checkpoint.note };
  }

  private async write(row: Export, plan: ExportPlan, onProgress: OnProgress): Promise<string> {
    const total = plan.end - plan.start;
    requireFits(Number(total) * hashBytes);
    const file = await this.parts.files.open(row.id, Number(total) * hashBytes);
    try {
      // A run that died between the file's final name and the end of its row left progress, but no draft to go on with.
      const isLost = file.isFresh && row.nextIndex > plan.start;
      let progress: ExportProgress = isLost ? await this.parts.requests.restart(row.id) : row;
      while (progress.nextIndex < plan.end) {
        progress = await this.writeChunk(file, row, plan, progress);
        await this.parts.requests.saveProgress(row.id, progress);
        await onProgress(progress.nextIndex - plan.start, total);
      }
      const name = await file.finish(Number(progress.entriesBytes), await this.smallParts(row, plan, progress));
      await this.parts.requests.finish(row.id, name);
      return name;
    } finally {
      await file.close();
    }
  }

  private async writeChunk(file: BundleFile, row: Export, plan: ExportPlan, progress: ExportProgress): Promise<ExportProgress> {
    const stop = progress.nextIndex + BigInt(entriesAtOnceMax);
    const entries = await this.parts.entries.read(progress.nextIndex, stop < plan.end ? stop : plan.end);
    const shown = entries.filter(({ bytes }) => isIncluded(row.filter, parseLogEntry(bytes)));
    const lines = concatBytes(shown.map(({ index, factId, bytes }) => formatEntryLine(index, factId, bytes)));
    requireFits(Number(progress.entriesBytes) + lines.length);
    await file.writeLeaves(Number(progress.nextIndex - plan.start) * hashBytes, concatBytes(entries.map(({ leaf }) => leaf)));
    await file.writeLines(Number(progress.entriesBytes), lines);
    await file.sync();
    return {
      nextIndex: progress.nextIndex + BigInt(entries.length),
      entriesBytes: progress.entriesBytes + BigInt(lines.length),
      included: progress.included + BigInt(shown.length),
    };
  }

  private async smallParts(row: Export, plan: ExportPlan, progress: ExportProgress): Promise<Record<string, Uint8Array>> {
    const { crypto, log, signer } = this.parts;
    const { origin, size } = parseCheckpoint(parseNote(utf8.encode(plan.checkpoint)).text);
    const proof = await new Prover(crypto, new TileNodes(crypto, log)).range(plan.start, plan.end, size);
    const digested: Record<DigestedPart, Uint8Array> = {
      'README.txt': utf8.encode(README),
      checkpoint: utf8.encode(plan.checkpoint),
      'range-proof.json': formatRangeProof(proof),
    };
    const digests = await Promise.all(DIGESTED_PARTS.map(async (name) => [name, toBase64(await crypto.sha256(digested[name]))] as const));
    const manifest: ExportManifest = {
      v: 1,
      export: formatId('exp', { shard: shardOf(row.id), uuid: row.id }),
      requestedBy: row.requestedBy,
      requestedAt: row.requestedAt.toISOString(),
      filter: row.filter,
      log: {
        origin,
        size: `${size}`,
        vkey: formatVkey(await this.parts.logKey()),
        exportVkey: formatVkey(await vkeyOf(crypto, exportKeyName(origin), signer)),
      },
      range: { start: `${plan.start}`, end: `${plan.end}` },
      counts: { included: `${progress.included}`, excluded: `${plan.end - plan.start - progress.included}` },
      parts: Object.fromEntries(digests) as Record<DigestedPart, string>,
    };
    const { json, jws } = signManifest(manifest, signer);
    return { ...digested, 'manifest.json': json, 'manifest.jws': jws };
  }
}

function requireFits(bytes: number): void {
  if (bytes <= tarMemberBytesMax) return;
  const limit = { limit: `tarMemberBytesMax=${tarMemberBytesMax}` };
  throw new Refusal(
    'too_large',
    'export.too_large',
    'the export is too large for one bundle: ask for a shorter time or fewer kinds',
    limit,
  );
}

const notSealed = (detail: string) => new Refusal('unavailable', 'export.not_sealed', detail, { retryAfterSeconds: 5 });

const README = `An export of a Tallystick log. It can be checked with no network and no database:

    tallystick verify <this file> --key <the log's public keys, received on another way>

entries.ndjson   the entries asked for, one per line: the exact bytes the log committed to, the fact's id, the log index
leaves.bin       the RFC 6962 leaf hash (32 bytes) of every entry of the range, also of those that the filter left out
range-proof.json the hashes of the log before and after the range
checkpoint       the signed root of the log (c2sp.org/tlog-checkpoint)
manifest.json    what was asked for and what is inside; manifest.jws signs it

The leaf hash of a line is SHA-256 of a zero byte and the bytes after {"entry": up to ,"fact": at the end of the line.
`;
