import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ContentDigest } from '#evidence';

/** What a request carries. A source is opened once for its digest and once for each attempt, and must give the same bytes each time. */
export type GatewayBody = string | Uint8Array | BodySource;

export interface BodySource {
  /** Where it is known beforehand; it is then sent as Content-Length. */
  readonly sizeBytes?: number;
  open(): AsyncIterable<Uint8Array>;
}

const pieceBytes = 256 * 1024;

export async function digestOf(body: GatewayBody): Promise<ContentDigest> {
  const hash = createHash('sha256');
  if (isSource(body)) for await (const piece of body.open()) hash.update(piece);
  else hash.update(body);
  return new Map([['sha-256', hash.digest()]]);
}

export function openBody(body: GatewayBody): string | Uint8Array | Readable {
  return isSource(body) ? Readable.from(body.open(), { objectMode: false }) : body;
}

/** Undefined where only reading it to its end would tell. */
export function sizeOf(body: GatewayBody): number | undefined {
  if (isSource(body)) return body.sizeBytes;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** A file of any size, read in pieces each time that it is opened. */
export async function fileSource(file: string): Promise<BodySource & { readonly sizeBytes: number }> {
  const { size } = await stat(file);
  return { sizeBytes: size, open: () => createReadStream(file, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer> };
}

function isSource(body: GatewayBody): body is BodySource {
  return typeof body === 'object' && 'open' in body;
}
