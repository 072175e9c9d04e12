import { hash } from 'node:crypto';
import { Refusal } from '#kernel';

/** What a line says of the record in it: a compact JWS, or the bare payload (a line of a sealed batch). */
export interface RecordLine {
  readonly id: Uint8Array;
  readonly iat: number;
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

export const isJws = (line: string): boolean => COMPACT_JWS.test(line);

/** Reads the id (SHA-256 of the payload bytes) and `iat`. Refuses 400 `record_line.malformed`. */
export function readLine(line: string): RecordLine {
  const payload = COMPACT_JWS.exec(line)?.[1];
  const bytes = payload === undefined ? Buffer.from(line) : Buffer.from(payload, 'base64url');
  return { id: hash('sha256', bytes, 'buffer'), iat: iatOf(bytes) };
}

function iatOf(payload: Buffer): number {
  try {
    const { iat } = JSON.parse(payload.toString('utf8')) as { iat?: unknown };
    if (Number.isSafeInteger(iat) && (iat as number) >= 0) return iat as number;
  } catch {
    // Refused below: whatever it is, it is no record.
  }
  throw new Refusal('malformed', 'record_line.malformed', 'neither a JWS nor the payload of a record');
}
