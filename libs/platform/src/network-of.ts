import { isIPv6 } from 'node:net';

/** What one caller has of the address space: an IPv4 address, or an IPv6 /64, as a name to count under. */
export function networkOf(address = 'unknown'): string {
  // A dual-stack socket tells an IPv4 peer as ::ffff:a.b.c.d.
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])].slice(0, 4).join(':');
}
