import { z } from 'zod';
import { Refusal } from '#kernel';

export const addressesMax = 64;

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);
const list = z.array(network).max(addressesMax);

/** From where a participant may call: addresses and networks (CIDR). Refuses `addresses.malformed`; a single address is its own network. */
export function parseAddresses(input: unknown): string[] {
  const read = list.safeParse(input);
  if (!read.success) {
    throw new Refusal('malformed', 'addresses.malformed', 'send IPv4 or IPv6 addresses or networks, such as 203.0.113.0/24', {
      field: 'addresses',
      limit: `addressesMax=${addressesMax}`,
    });
  }
  return [...new Set(read.data.map(asNetwork))].sort();
}

function asNetwork(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? 128 : 32}`;
}
