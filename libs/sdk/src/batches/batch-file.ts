import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { MANIFEST_TYPE } from '#evidence';
import { Refusal } from '#kernel';
import { type BodySource, fileSource } from '../gateway-body.js';
import { splitLines } from './line-pieces.js';

export type BatchCoding = 'gzip' | 'zstd';

/** A file of lines as it is sent. */
export interface BatchFile {
  readonly path: string;
  readonly coding: BatchCoding | undefined;
  readonly sealed: boolean;
  readonly body: BodySource & { readonly sizeBytes: number };
}

const MAGIC: readonly (readonly [coding: BatchCoding, bytes: string])[] = [
  ['gzip', '1f8b'],
  ['zstd', '28b52ffd'],
];

/** Looks how a file is coded, and whether its first line is a manifest. Refuses 415 `batch.sealed_unsaid` where that cannot be seen. */
export async function openBatchFile(path: string, sealed?: boolean): Promise<BatchFile> {
  const coding = await codingOf(path);
  return { path, coding, sealed: sealed ?? (await beginsWithManifest(path, coding)), body: await fileSource(path) };
}

/** Its lines without their ends, blank ones too, as the gateway counts them: from 1. */
export async function* readBatchLines({ path, coding }: Pick<BatchFile, 'path' | 'coding'>): AsyncGenerator<Buffer> {
  if (coding === 'zstd')
    throw new Refusal('unsupported_media', 'batch.coding_unsupported', 'unpack a zstd file first: only gzip is read here');
  const file = createReadStream(path);
  if (!coding) return yield* splitLines(file);
  const gunzip = createGunzip();
  file.once('error', (error) => gunzip.destroy(error));
  yield* splitLines(file.pipe(gunzip));
}

async function codingOf(path: string): Promise<BatchCoding | undefined> {
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return MAGIC.find(([, bytes]) => buffer.toString('hex').startsWith(bytes))?.[0];
  } finally {
    await handle.close();
  }
}

async function beginsWithManifest(path: string, coding: BatchCoding | undefined): Promise<boolean> {
  if (coding === 'zstd') throw new Refusal('unsupported_media', 'batch.sealed_unsaid', 'say whether this file is sealed: it is zstd');
  for await (const line of readBatchLines({ path, coding })) return typOf(line.toString('latin1')) === MANIFEST_TYPE;
  return false;
}

function typOf(jws: string): unknown {
  try {
    const header = JSON.parse(Buffer.from(jws.split('.', 1)[0]!, 'base64url').toString()) as { typ?: unknown } | null;
    return header?.typ;
  } catch {
    return undefined;
  }
}
