import type { IncomingMessage, RequestListener } from 'node:http';
import { EVENT_TOKEN_TYPE, SECEVENT_MEDIA_TYPE, WEBHOOK_CHALLENGE_URI } from '#contract';
import {
  checkContentDigest,
  checkWithNode,
  fieldValue,
  type HttpFields,
  type JsonObject,
  type JsonWebKey,
  parseContentDigest,
  REQUEST_PROFILE,
  verifyHttpSignature,
  verifyJws,
} from '#evidence';
import { Refusal } from '#kernel';
import type { EventLedger } from './event-ledger.js';
import { digestOf } from './gateway-body.js';
import { GatewayKeySet } from './gateway-key-set.js';
import { NonceMemory } from './nonce-memory.js';

/** An event as it was signed: verified, meant for us, and not taken before. */
export interface ReceivedEvent {
  readonly jti: string;
  /** `restriction.lifted`, `rating.changed`, … */
  readonly kind: string;
  /** The reference of the link that it is about, or our own id where it is about ourselves. */
  readonly subject: string;
  readonly at: Date;
  readonly body: JsonObject;
  /** The token as received, to be kept as evidence. */
  readonly token: string;
}

/** Thrown by a handler that cannot take an event: the gateway hears why, tries again for three days, and holds back later events of its subject only. */
export class EventRejectedError extends Error {
  override readonly name = 'EventRejectedError';

  constructor(
    /** A word of yours, 64 characters at most. */
    readonly err: string,
    readonly description: string,
  ) {
    super(`${err}: ${description}`);
  }
}

export interface EventReceiverOptions {
  /** The address as registered with `PUT /v1/webhooks`: signatures cover it, whatever a proxy makes of the path. */
  readonly url: string;
  /** Our participant id. */
  readonly participant: string;
  /** The gateway's origin, as its tokens name it. */
  readonly issuer: string;
  /** The gateway's published keys, such as `() => bank.keys()`; asked again when a key is not among them. */
  readonly keys: () => Promise<readonly JsonWebKey[] | { readonly keys: readonly object[] }>;
  readonly ledger: EventLedger;
  readonly handle: (event: ReceivedEvent) => Promise<void>;
  /** Told what failed on our side (the handler, the ledger, the keys) when the gateway is answered 500 and tries again. Absent: a warning of the process. */
  readonly failed?: (error: unknown) => void;
  readonly now?: () => Date;
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly body?: JsonObject;
}

const bodyBytesMax = 256 * 1024;
const utf8 = new TextDecoder();

/**
 * The bank's end of a webhook (RFC 8935): believes nothing before the message's signature, digest, age and nonce and the token's signature,
 * issuer and audience are verified, hands each event to `handle` once, and acknowledges it only then. No framework: `listener()` is for `node:https`,
 * `receive` for everything else.
 */
export class EventReceiver {
  private readonly keys: GatewayKeySet;
  private readonly nonces = new NonceMemory();

  constructor(private readonly options: EventReceiverOptions) {
    this.keys = new GatewayKeySet(async () => listOf(await options.keys()));
  }

  /** For `https.createServer(tls, receiver.listener())`; the bank's proxy or router decides which path leads here. */
  listener(): RequestListener {
    return (request, response) => {
      void readBody(request)
        .then((body) => (body ? this.receive({ method: request.method ?? '', headers: request.headers, body }) : { status: 413 }))
        .catch((error: unknown) => this.failed(error))
        .then(({ status, body }: ReceiverAnswer) => {
          if (status === 413) response.setHeader('connection', 'close');
          response
            .writeHead(status, body ? { 'content-type': 'application/json', 'content-language': 'en' } : {})
            .end(body ? JSON.stringify(body) : undefined);
        });
    };
  }

  /** 202: taken. 200 with the challenge: the gateway wants to know whether this is ours. 401: not the gateway's. 400: not for us, or rejected. */
  async receive(message: { readonly method: string; readonly headers: HttpFields; readonly body: Uint8Array }): Promise<ReceiverAnswer> {
    if (message.method !== 'POST') return { status: 405 };
    if (fieldValue(message.headers, 'content-type') !== SECEVENT_MEDIA_TYPE) return { status: 415 };
    try {
      await this.checkMessage(message);
    } catch (error) {
      return refused(error, 401, 'authentication_failed') ?? this.failed(error);
    }
    try {
      const { uri, event } = await this.readToken(message.body);
      if (uri === WEBHOOK_CHALLENGE_URI) return { status: 200, body: { challenge: event.body['challenge'] ?? null } };
      return await this.take(event);
    } catch (error) {
      return refused(error, 400, 'invalid_request') ?? this.failed(error);
    }
  }

  private async checkMessage({ method, headers, body }: Parameters<EventReceiver['receive']>[0]): Promise<void> {
    const at = this.options.now?.() ?? new Date();
    const signed = { method, targetUri: this.options.url, headers };
    const { nonce = '' } = await this.keys.using((findKey) =>
      verifyHttpSignature(signed, REQUEST_PROFILE, { findKey, check: checkWithNode, at }),
    );
    checkContentDigest(parseContentDigest(fieldValue(headers, 'content-digest') ?? ''), await digestOf(body));
    if (!this.nonces.claim(nonce, at)) throw new Refusal('unauthenticated', 'nonce.replayed', 'this message was received before');
  }

  private async readToken(body: Uint8Array): Promise<{ uri: string; event: ReceivedEvent }> {
    const { value } = await this.keys.using((findKey) => verifyJws(body, EVENT_TOKEN_TYPE, findKey));
    const { iss, aud } = value.payload;
    if (iss !== this.options.issuer) throw new EventRejectedError('invalid_issuer', `not issued by ${this.options.issuer}`);
    if (aud !== this.options.participant) throw new EventRejectedError('invalid_audience', `not meant for ${this.options.participant}`);
    return readEvent(value.payload, utf8.decode(body));
  }

  private async take(event: ReceivedEvent): Promise<ReceiverAnswer> {
    try {
      await this.options.ledger.once(event.jti, () => this.options.handle(event));
      return { status: 202 };
    } catch (error) {
      // Whatever else goes wrong in there is our own failure: the gateway tries again.
      if (error instanceof EventRejectedError) throw error;
      return this.failed(error);
    }
  }

  private failed(error: unknown): ReceiverAnswer {
    const { failed = warn } = this.options;
    failed(error);
    return { status: 500 };
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

// Every array has a member `keys`, too.
function listOf(keys: Awaited<ReturnType<EventReceiverOptions['keys']>>): readonly JsonWebKey[] {
  return ('length' in keys ? keys : keys.keys) as readonly JsonWebKey[];
}

const KIND = /^urn:tallystick:event:(.+)$/;

function readEvent({ jti, iat, sub_id: subject, events }: JsonObject, token: string): { uri: string; event: ReceivedEvent } {
  const [entry, ...others] = isObject(events) ? Object.entries(events) : [];
  const [uri = '', body] = entry ?? [];
  const kind = KIND.exec(uri)?.[1];
  const id = isObject(subject) ? subject['id'] : undefined;
  if (typeof jti !== 'string' || typeof iat !== 'number' || typeof id !== 'string' || !kind || !isObject(body) || others.length > 0) {
    throw new EventRejectedError('invalid_request', 'not one event of a known form (RFC 8417)');
  }
  return { uri, event: { jti, kind, subject: id, at: new Date(iat * 1_000), body, token } };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined for what is no refusal but our own failure. */
function refused(error: unknown, status: number, err: string): ReceiverAnswer | undefined {
  if (error instanceof EventRejectedError) return { status, body: { err: error.err, description: error.description } };
  if (!(error instanceof Refusal)) return undefined;
  // RFC 8935 §2.4: a token's key that is unknown has a word of its own.
  const word = status === 400 && error.code.startsWith('signature.key_') ? 'invalid_key' : err;
  return { status, body: { err: word, description: error.message } };
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
