import type { FastifyRequest } from 'fastify';
import {
  BODILESS_REQUEST_PROFILE,
  checkAside,
  checkContentDigest,
  type ContentDigest,
  fieldValue,
  type HttpRequestMessage,
  type HttpSignature,
  parseContentDigest,
  readHttpSignature,
  REQUEST_PROFILE,
  type SignatureProfile,
  verifyHttpSignature,
} from '#evidence';
import { type Clock, Refusal } from '#kernel';
import { type NonceBook, type NonceClaim, nonceReplayed, type ParticipantRegistry } from '#partners';
import type { Spool } from '#platform';

/** What the door needs to judge a signature. */
export interface SignatureRules {
  /** GATEWAY_ORIGIN: what `@target-uri` begins with, whatever a header says. */
  readonly origin: string;
  readonly registry: Pick<ParticipantRegistry, 'findKey'>;
  readonly nonces: NonceBook;
  readonly clock: Clock;
  readonly required: boolean;
  /** Where large bodies wait until their digest is found right. */
  readonly spool: Spool;
}

/** The nonce of a signed request: spent once, in the transaction of the request's effect where there is one that can, alone otherwise. */
export class RequestNonce implements NonceClaim {
  constructor(
    readonly participant: string,
    readonly nonce: string,
    private readonly book: NonceBook,
  ) {}

  /** Refuses 401 `nonce.replayed`. */
  async spend(): Promise<void> {
    if (!(await this.book.claim(this.participant, this.nonce))) throw nonceReplayed();
  }
}

/** A request whose headers are verified; of its body only what it must hash to is known. */
export interface SignedHead {
  readonly signature: HttpSignature;
  readonly digest?: ContentDigest;
  /** A request that only reads has none. */
  readonly nonce?: RequestNonce;
}

export const ECHO_ROUTE = '/v1/security/echo';
const READING = ['GET', 'HEAD', 'OPTIONS'];

/** The route that was matched, not the path that was sent: one route has many spellings (`/%761/records`). */
export function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? request.raw.url?.split('?', 1)[0] ?? '';
}

export function isUnderV1(request: FastifyRequest): boolean {
  return routeOf(request).startsWith('/v1/');
}

/** The request as its sender addressed it. */
export function messageOf(request: FastifyRequest, origin: string): HttpRequestMessage {
  return { method: request.method, targetUri: origin + request.raw.url, headers: request.raw.headers };
}

/**
 * Judges the signature when the headers have arrived; nothing of the body has been read. Undefined where none is needed and none was sent.
 * Refuses what `verifyHttpSignature` and `parseContentDigest` refuse; 401 `signature.missing` says where the recipe is.
 */
export async function judgeHead(request: FastifyRequest, participant: string, rules: SignatureRules): Promise<SignedHead | undefined> {
  const message = messageOf(request, rules.origin);
  const changes = !READING.includes(request.method);
  if (fieldValue(message.headers, 'signature-input') === undefined && !(changes && rules.required)) return undefined;
  const profile = changes ? REQUEST_PROFILE : BODILESS_REQUEST_PROFILE;
  const findKey = (keyid: string) => rules.registry.findKey(participant, keyid);
  const signature = await verifyHttpSignature(message, profile, { findKey, check: checkAside, at: rules.clock.now() }).catch(
    (error: unknown) => Promise.reject(withRecipe(error, rules.origin)),
  );
  if (!changes) return { signature };
  const digest = parseContentDigest(fieldValue(message.headers, 'content-digest') ?? '');
  return { signature, digest, nonce: new RequestNonce(participant, signature.nonce!, rules.nonces) };
}

/** The body's turn: refuses 401 `digest.mismatch`, then spends the nonce and refuses 401 `nonce.replayed`, unless the route does that itself. */
export async function judgeBody(head: SignedHead, computed: ContentDigest, request: FastifyRequest): Promise<void> {
  if (head.digest) checkContentDigest(head.digest, computed);
  if (!spendsNonceItself(request)) await head.nonce?.spend();
}

/** Routes that hand the nonce to the transaction of their effect (CONTRACT.md §2): a crash before it is committed has spent nothing. */
function spendsNonceItself(request: FastifyRequest): boolean {
  return routeOf(request) === '/v1/records';
}

/** The signature base of a request as far as it can be built: made of nothing but what the caller sent. */
export function findSignatureBase(request: FastifyRequest, origin: string): string | undefined {
  const anything: SignatureProfile = { tag: REQUEST_PROFILE.tag, components: [], params: [] };
  try {
    return readHttpSignature(messageOf(request, origin), anything).base;
  } catch {
    return undefined;
  }
}

function withRecipe(error: unknown, origin: string): unknown {
  if (!(error instanceof Refusal) || error.code !== 'signature.missing') return error;
  return new Refusal(error.kind, error.code, error.detail, { ...error.hints, extra: { recipe: `${origin}/docs` } });
}
