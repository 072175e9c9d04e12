import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { constants } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '#kernel';
import { type Authority, readAuthority } from './mtls-authority.js';

/** TLS 1.3, or 1.2 with forward secrecy and authenticated encryption only (CONTRACT.md §1). */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
].join(':');

export const trustPollMs = 1_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * The files that decide whom the partners' door trusts, read again within a second of a change:
 * `server/cert.pem`, `server/key.pem`; `partners/<name>.ca.pem` and its `partners/<name>.crl.pem`.
 * A folder that cannot be read as a whole leaves the last good state in force, with an error line each time it changes.
 */
export class TrustStore {
  private current: readonly Authority[] = [];
  private context: SecureContextOptions = {};
  private print = '';
  private readonly listeners: (() => void)[] = [];
  private alarms = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  static async open(folder: string, clock: Clock, logger: Logger): Promise<TrustStore> {
    const store = new TrustStore(folder, clock, logger);
    store.print = fingerprint(folder);
    store.load();
    store.raiseAlarms();
    return store;
  }

  get authorities(): readonly Authority[] {
    return this.current;
  }

  /** Options of the TLS server. Whether a client certificate is good is decided on every request, so that the answer can say why. */
  serverOptions(): TlsOptions {
    return {
      ...this.context,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      sessionIdContext: 'tallystick-gateway',
    };
  }

  secureContext(): SecureContextOptions {
    return this.context;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Looks whether the folder changed. Never throws: what is broken is logged and the last good state stays. */
  async poll(): Promise<void> {
    try {
      const print = fingerprint(this.folder);
      if (print !== this.print) {
        this.print = print;
        this.load();
        this.logger.info({ authorities: this.current.map(({ name }) => name) }, 'certificates reloaded');
        for (const listener of this.listeners) listener();
      }
    } catch (error) {
      this.logger.error({ error: (error as Error).message }, 'certificates could not be reloaded: the last good ones stay in force');
    }
    this.raiseAlarms();
  }

  private load(): void {
    const server = path.join(this.folder, 'server');
    const authorities = readAuthorities(path.join(this.folder, 'partners'), this.logger);
    const context: SecureContextOptions = {
      key: readFileSync(path.join(server, 'key.pem')),
      cert: readFileSync(path.join(server, 'cert.pem')),
      ca: authorities.map(({ pem }) => pem),
      ciphers: CIPHERS,
      honorCipherOrder: true,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      allowPartialTrustChain: true,
    };
    // Throws where key and certificate do not belong together, before anything is replaced.
    createSecureContext(context);
    this.context = context;
    this.current = authorities;
  }

  /** One line when an authority begins to be refused for want of a fresh CRL, one when it is well again. */
  private raiseAlarms(): void {
    const stale = new Set(this.current.filter((authority) => !hasFreshList(authority, this.clock.now())).map(({ name }) => name));
    for (const name of stale) {
      if (!this.alarms.has(name))
        this.logger.error({ authority: name, alarm: 'crl' }, 'no valid CRL: everybody under this authority is refused');
    }
    for (const name of this.alarms) if (!stale.has(name)) this.logger.info({ authority: name }, 'the CRL is valid again');
    this.alarms = stale;
  }
}

export function hasFreshList({ crl }: Authority, at: Date): boolean {
  return crl !== undefined && crl.thisUpdate <= at && at < crl.nextUpdate;
}

/** A broken CRL makes its own authority fail closed; a broken CA certificate leaves that authority out. Neither touches the others. */
function readAuthorities(folder: string, logger: Logger): Authority[] {
  const files = new Set(readdirSync(folder));
  const names = [...files].filter((file) => file.endsWith('.ca.pem')).map((file) => file.slice(0, -'.ca.pem'.length));
  const authorities: Authority[] = [];
  for (const name of names.sort()) {
    const read = (kind: string) =>
      files.has(`${name}.${kind}.pem`) ? readFileSync(path.join(folder, `${name}.${kind}.pem`), 'utf8') : undefined;
    try {
      authorities.push(readWithList(name, read('ca')!, read('crl'), logger));
    } catch (error) {
      logger.error({ authority: name, error: (error as Error).message }, 'this authority cannot be read and is left out');
    }
  }
  return authorities;
}

function readWithList(name: string, pem: string, crlPem: string | undefined, logger: Logger): Authority {
  try {
    return readAuthority(name, pem, crlPem);
  } catch (error) {
    const authority = readAuthority(name, pem, undefined);
    logger.error({ authority: name, error: (error as Error).message }, 'the CRL cannot be used');
    return authority;
  }
}

/** Changes when a file appears, goes or is written. */
function fingerprint(folder: string): string {
  const files = ['server', 'partners'].flatMap((part) => readdirSync(path.join(folder, part)).map((name) => path.join(folder, part, name)));
  return files
    .map((file) => {
      const { mtimeMs, size, ino } = statSync(file);
      return `${file}:${mtimeMs}:${size}:${ino}`;
    })
    .sort()
    .join('\n');
}
