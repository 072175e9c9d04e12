import { Refusal } from '#kernel';

/** Where staff open the console, and which proxies may speak for a browser's address. */
export interface ConsoleDoor {
  readonly https: boolean;
  /** The configured origin; undefined: the loopback names of this machine, at the port a request came in on. */
  readonly origin: string | undefined;
  readonly proxies: readonly string[];
}

export function consoleDoor(config: { CONSOLE_ORIGIN?: string | undefined; CONSOLE_PROXIES: string }): ConsoleDoor {
  const origin = config.CONSOLE_ORIGIN === undefined ? undefined : new URL(config.CONSOLE_ORIGIN).origin;
  const proxies = config.CONSOLE_PROXIES.split(',').map((address) => address.trim());
  return { https: origin?.startsWith('https:') ?? false, origin, proxies: proxies.filter((address) => address !== '') };
}

/** What of a request tells where it comes from. */
export interface Arrival {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
}

/** A script of our own page sets this header; a form or a link of another site cannot. */
const CONSOLE_HEADER = 'x-tallystick-console';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses `host.unknown` (421: a name rebound to our address would otherwise be a same-origin page), and for anything that
 * changes something `request.cross_site` (403) unless it was sent by our own page. SameSite=Strict cookies stand behind it.
 */
export function requireOwnPage(arrival: Arrival, door: ConsoleDoor): void {
  const origins = allowedOrigins(arrival, door);
  if (!origins.some((origin) => new URL(origin).host === arrival.headers['host'])) {
    throw new Refusal('misdirected', 'host.unknown', 'this console is not served under that name; see CONSOLE_ORIGIN');
  }
  const fetchSite = arrival.headers['sec-fetch-site'];
  const foreign = fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none';
  if (foreign || (!SAFE_METHODS.includes(arrival.method) && !fromOwnPage(arrival, origins))) {
    throw new Refusal('forbidden', 'request.cross_site', 'this call is for the console’s own pages only');
  }
}

function fromOwnPage({ headers }: Arrival, origins: readonly string[]): boolean {
  return headers[CONSOLE_HEADER] === '1' && origins.some((origin) => origin === headers['origin']);
}

function allowedOrigins({ localPort }: Arrival, { origin }: ConsoleDoor): string[] {
  return origin === undefined ? ['localhost', '127.0.0.1', '[::1]'].map((name) => `http://${name}:${localPort}`) : [origin];
}

/**
 * `/ready` and `/metrics` are for the supervisor and Prometheus on this machine and for a named proxy that looks whether we can be used, never for
 * a browser that such a proxy speaks for. Refuses `operations.not_here` (403).
 */
export function requireWatcher({ headers, localAddress, remoteAddress = '' }: Arrival, { origin, proxies }: ConsoleDoor): void {
  const near = remoteAddress === localAddress || proxies.includes(remoteAddress);
  const forBrowser = headers['x-forwarded-for'] !== undefined || (origin !== undefined && new URL(origin).host === headers['host']);
  if (near && !forBrowser) return;
  throw new Refusal(
    'forbidden',
    'operations.not_here',
    'this is answered on the console’s own machine only, and not under its public name',
  );
}

/** The browser's address; undefined behind a proxy that was not named, because then it is the same for everybody. */
export function clientAddress({ headers, remoteAddress }: Arrival, door: ConsoleDoor): string | undefined {
  if (remoteAddress !== undefined && door.proxies.includes(remoteAddress)) {
    // The last entry is the one our own proxy added; what stands before it came from outside.
    return (
      String(headers['x-forwarded-for'] ?? '')
        .split(',')
        .at(-1)!
        .trim() || undefined
    );
  }
  return door.https ? undefined : remoteAddress;
}
