import { Refusal } from '#kernel';

/** Two Host headers are two opinions about whom the request is for (RFC 9112 §3.2); Node alone takes the first. */
export const hostDuplicate = () => new Refusal('malformed', 'host.duplicate', 'send exactly one Host header', { field: 'host' });

/** How many Host headers came. Raw headers are names and values in turn. */
export function hostsNamed(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') count++;
  return count;
}
