import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where nobody's webhook stands: this machine, private and shared networks, link-local, documentation, multicast, reserved (IANA registries). */
const REFUSED_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
/** Of IPv6 only global unicast is addressed, and of that neither documentation nor what carries an IPv4 address inside (Teredo, 6to4). */
const GLOBAL_V6 = '2000::/3';
const REFUSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Which addresses may be connected to: public ones, and the networks (CIDR) that the installation names. */
export class WebhookAddresses {
  private readonly allowed: BlockList;

  constructor(allowed: readonly string[]) {
    this.allowed = listOf(allowed);
  }

  isAllowed(address: string): boolean {
    const plain = unmapped(address);
    const family = isIP(plain);
    if (family === 0) return false;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (this.allowed.check(plain, type)) return true;
    return family === 4 ? !refusedV4.check(plain, type) : globalV6.check(plain, type) && !refusedV6.check(plain, type);
  }

  /** Throws `AddressRefused` where a host that is an address itself is not allowed: it is never looked up. */
  checkLiteral(hostname: string): void {
    const literal = hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !this.isAllowed(literal)) throw new AddressRefused('the address is private or reserved');
  }

  /** What can be said without asking anybody: false where a host is an address that is not allowed. Names are judged by the push. */
  mayBe(hostname: string): boolean {
    const literal = isLoopbackName(hostname) ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '');
    return isIP(literal) === 0 || this.isAllowed(literal);
  }

  /**
   * For `net.connect`: what it answers is what is connected to, so a name cannot mean one address when it is checked and another afterwards.
   * A name with one bad address is refused as a whole.
   */
  readonly lookup: LookupFunction = (hostname, options, done) => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      if (found.length === 0 || !found.every(({ address }) => this.isAllowed(address))) {
        return done(new AddressRefused(`${hostname} leads to an address that is private or reserved`), []);
      }
      if (options.all) return done(null, found);
      done(null, found[0]!.address, found[0]!.family);
    });
  };
}

/** RFC 6761 §6.3: never anybody else's machine. */
function isLoopbackName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname);
}

const refusedV4 = listOf(REFUSED_V4);
const refusedV6 = listOf(REFUSED_V6);
const globalV6 = listOf([GLOBAL_V6]);

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    if (family === 0) throw new Error(`${network} is no network`);
    list.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** An IPv4 address in IPv6's clothes (RFC 4291 §2.5.5.2) is that IPv4 address, however it is spelled. */
function unmapped(address: string): string {
  if (isIP(address) !== 6 || !mapped.check(address, 'ipv6')) return address;
  const tail = address.slice(address.lastIndexOf(':') + 1);
  if (tail.includes('.')) return tail;
  const words = address.split(':');
  const number = parseInt(words.at(-2) || '0', 16) * 65_536 + parseInt(tail || '0', 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

const mapped = listOf(['::ffff:0:0/96']);
