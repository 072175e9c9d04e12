import { BlockList, isIPv6 } from 'node:net';
import { Refusal } from '#kernel';
import type { Participant } from '#partners';

/** A participant's networks, read once per version of it. */
const lists = new WeakMap<Participant, BlockList>();

/** Refuses 403 `address.not_allowed` where the participant calls from anywhere else than it said. Without a list it may call from anywhere. */
export function checkAddress(participant: Participant, remote: string | undefined): void {
  if (participant.addresses.length === 0) return;
  // A dual-stack socket tells an IPv4 peer as ::ffff:a.b.c.d.
  const address = remote?.startsWith('::ffff:') ? remote.slice('::ffff:'.length) : remote;
  if (address !== undefined && listOf(participant).check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return;
  throw new Refusal('forbidden', 'address.not_allowed', 'your allow-list does not hold the address you call from');
}

function listOf(participant: Participant): BlockList {
  const known = lists.get(participant);
  if (known) return known;
  const list = new BlockList();
  for (const network of participant.addresses) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  lists.set(participant, list);
  return list;
}
