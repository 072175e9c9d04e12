import { hash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { Pool } from 'undici';
import { SECEVENT_MEDIA_TYPE } from '#contract';
import { type JsonObject, parseJsonStrict, type Signer, signRequestAside } from '#evidence';
import { type Config, ConfigError } from '#platform';
import type { AddressCheck } from '../delivery/webhooks.js';
import type { PushTarget, PushToken } from '../delivery/push.js';
import { pushesPerPartnerMax } from '../delivery/deliver-events.js';
import type { EventFailure } from '../store.js';
import { type PostLimits, sendPost } from './https-post.js';
import { AddressRefused, WebhookAddresses } from './webhook-addresses.js';

const answerBytesMax = 4_096;
const headerBytesMax = 8_192;
const idleMs = 30_000;
const placesMax = 2_000;

export interface PushSettings {
  /** PEM, beside the machine's own authorities. */
  readonly extraCa?: string | undefined;
  readonly addresses: WebhookAddresses;
  /** One push as a whole, from the name's look-up to the last byte of the answer. */
  readonly timeoutMs: number;
}

type WebhookConfig = Pick<Config, 'WEBHOOK_CA_FILE' | 'WEBHOOK_ALLOWED_NETWORKS' | 'WEBHOOK_TIMEOUT_MS'>;

/** Throws `ConfigError` that names the setting at fault. */
export function pushSettings(config: WebhookConfig): PushSettings {
  const file = config.WEBHOOK_CA_FILE;
  return {
    addresses: allowedAddresses(config),
    extraCa: file === undefined ? undefined : settled('WEBHOOK_CA_FILE', () => readFileSync(file, 'utf8')),
    timeoutMs: config.WEBHOOK_TIMEOUT_MS,
  };
}

/** Throws `ConfigError` that names the setting at fault. */
function allowedAddresses(config: Pick<Config, 'WEBHOOK_ALLOWED_NETWORKS'>): WebhookAddresses {
  const networks = config.WEBHOOK_ALLOWED_NETWORKS.split(',').flatMap((one) => one.trim() || []);
  return settled('WEBHOOK_ALLOWED_NETWORKS', () => new WebhookAddresses(networks));
}

/** As at the push, by the same setting, without asking for names. Throws `ConfigError`. */
export function addressCheck(config: Pick<Config, 'WEBHOOK_ALLOWED_NETWORKS'>): AddressCheck {
  const addresses = allowedAddresses(config);
  return (url) => addresses.mayBe(new URL(url).hostname);
}

function settled<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`${name}: ${(error as Error).message}`);
  }
}

interface Place {
  readonly pool: Pool;
  readonly path: string;
}

/**
 * Posts tokens over TLS that is always verified, to addresses that are allowed, signed with our own key (RFC 9421). It follows no redirect and
 * reads no more of an answer than it needs. Connections are kept per address of a participant, and few.
 */
export class HttpsWebhookPush {
  private readonly places = new Map<string, Place>();
  /** Made once: reading some hundred authorities for every connection cost more than all the rest of a push. */
  private readonly trust: SecureContext;
  private readonly limits: PostLimits;

  constructor(
    private readonly settings: PushSettings,
    private readonly signerFor: (participant: string) => Signer,
  ) {
    this.limits = { timeoutMs: settings.timeoutMs, answerBytesMax };
    const ca = settings.extraCa === undefined ? {} : { ca: [...rootCertificates, settings.extraCa] };
    this.trust = createSecureContext({ minVersion: 'TLSv1.2', ...ca });
  }

  readonly push: PushToken = async (target, token) => {
    const body = Buffer.from(token);
    const digest = new Map([['sha-256' as const, hash('sha256', body, 'buffer')]]);
    const nonce = randomBytes(16).toString('base64url');
    const message = { method: 'POST', targetUri: target.url, headers: {} };
    const fields = await signRequestAside(message, digest, this.signerFor(target.participant), { at: new Date(), nonce });
    return await this.post(target, { ...fields, 'content-type': SECEVENT_MEDIA_TYPE }, body);
  };

  /** What is posted as it is: probes bring their own, wrong, signatures. */
  async post(target: PushTarget, fields: Readonly<Record<string, string>>, body: Uint8Array): ReturnType<PushToken> {
    try {
      const { pool, path } = this.placeOf(target);
      const {
        status,
        headers,
        body: said,
      } = await sendPost(pool, path, { headers: { ...fields, accept: 'application/json' }, body }, this.limits);
      const retryAfter = String(headers['retry-after'] ?? '');
      return {
        status,
        ...(/^[0-9]{1,9}$/.test(retryAfter) ? { retryAfterSeconds: Number(retryAfter) } : {}),
        body: isJson(headers['content-type']) ? parsed(said) : undefined,
      };
    } catch (error) {
      return { trouble: troubleOf(error as Error, this.limits.timeoutMs) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.places.values()].map(({ pool }) => pool.destroy()));
    this.places.clear();
  }

  /** Throws `AddressRefused`. */
  private placeOf({ participant, url }: PushTarget): Place {
    const name = `${participant} ${url}`;
    const known = this.places.get(name);
    if (known) return known;
    const { hostname, origin, pathname, search } = new URL(url);
    this.settings.addresses.checkLiteral(hostname);
    const place = { pool: this.newPool(origin), path: pathname + search };
    this.places.set(name, place);
    const [oldest, old] = this.places.entries().next().value!;
    if (this.places.size > placesMax) {
      this.places.delete(oldest);
      void old.pool.close();
    }
    return place;
  }

  private newPool(origin: string): Pool {
    const { addresses } = this.settings;
    const { timeoutMs } = this.limits;
    return new Pool(origin, {
      connections: pushesPerPartnerMax,
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      maxHeaderSize: headerBytesMax,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: {
        timeout: timeoutMs,
        lookup: addresses.lookup,
        rejectUnauthorized: true,
        secureContext: this.trust,
      },
    });
  }
}

function isJson(type: string | string[] | undefined): boolean {
  return /^application\/(problem\+)?json\b/i.test(String(type ?? ''));
}

// The answer comes from the partner: what is no plain JSON object says nothing.
function parsed(bytes: Uint8Array | undefined): JsonObject | undefined {
  if (!bytes) return undefined;
  try {
    return parseJsonStrict(bytes, 'answer.malformed');
  } catch {
    return undefined;
  }
}

/** One word for staff and bank, and what they can do about it; nothing of our network. */
function troubleOf(error: Error, timeoutMs: number): EventFailure {
  const { code = '' } = error as NodeJS.ErrnoException;
  // One answer for both: which names our own network knows is nobody's business.
  if (error instanceof AddressRefused || error.cause instanceof AddressRefused || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      err: 'address_refused',
      description: 'the webhook leads to no public address: its name is unknown, or leads to a private or reserved one',
    };
  }
  if (error.name === 'TimeoutError' || /TIMEOUT/.test(code)) return { err: 'timeout', description: `no answer within ${timeoutMs} ms` };
  if (/CERT|SIGNATURE|ALTNAME|SSL|TLS|SELF_SIGNED|ISSUER/.test(code)) {
    return { err: 'tls_failed', description: `the certificate or handshake is not good: ${code}` };
  }
  return { err: 'connection_failed', description: code === '' ? 'the connection broke' : `the connection failed: ${code}` };
}
