import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContentDigest } from '#evidence';

/** What a request carries. A source is opened once for its digest and once for each attempt, and must give the same bytes each time. */
export type GatewayBody = string | Uint8Array | BodySource;

export interface BodySource {
  open(): AsyncIterable<Uint8Array>;
}

export async function digestOf(body: GatewayBody): Promise<ContentDigest> {
  const hash = createHash('sha256');
  if (isSource(body)) for await (const piece of body.open()) hash.update(piece);
  else hash.update(body);
  return new Map([['sha-256', hash.digest()]]);
}

export function openBody(body: GatewayBody): string | Uint8Array | Readable {
  return isSource(body) ? Readable.from(body.open()) : body;
}

function isSource(body: GatewayBody): body is BodySource {
  return typeof body === 'object' && 'open' in body;
}
