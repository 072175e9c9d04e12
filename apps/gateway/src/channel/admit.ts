import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { type Clock, Refusal } from '#kernel';
import type { ParticipantRegistry } from '#partners';
import { hostDuplicate, hostsNamed } from '#platform/adapters/hosts-named';
import { identifyPeer } from '#platform/adapters/mtls-peer';
import type { TrustStore } from '#platform/adapters/mtls-trust';
import { checkAddress } from './allowed-address.js';
import type { ChannelCaller } from './caller.js';

export interface Channel {
  /** Host and port that partners use, as in GATEWAY_ORIGIN. */
  readonly host: string;
  readonly trust: TrustStore;
  readonly registry: ParticipantRegistry;
  readonly clock: Clock;
}

/** For the supervisor and Prometheus on this machine: they say nothing about any partner. */
const OPERATION_PATHS = ['/health', '/ready', '/metrics'];
const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];
/** What a participant may call before it is activated: to look after its keys and certificates, to try its signatures, to read. */
const TRIAL_PATHS =
  /^\/(v1\/participants\/me(\/.*)?|v1\/security\/echo|v1\/schemas(\/[^/]*)?|\.well-known\/jwks\.json|docs(-json)?|docs\/[^/]*)$/;

export function isOperation(request: FastifyRequest): boolean {
  return OPERATION_PATHS.includes(pathOf(request)) && LOOPBACK.includes(request.socket.remoteAddress ?? '');
}

/**
 * Whom a request comes from, judged anew for each request, so that a revocation reaches open connections too.
 * Refuses 421 `host.misdirected`, 400 `host.duplicate`, what `identifyPeer` and `RegistryView.identify` refuse, 403 `address.not_allowed`
 * and `participant.not_active`.
 */
export function admit(request: FastifyRequest, channel: Channel): ChannelCaller {
  checkHost(request, channel.host);
  const caller = identify(request.raw.socket as TLSSocket, channel);
  if (caller.participant.state !== 'ACTIVE' && !TRIAL_PATHS.test(pathOf(request))) {
    throw new Refusal('forbidden', 'participant.not_active', 'you are enrolled but not active yet: see GET /v1/participants/me');
  }
  return caller;
}

/** The same question without a request, for connections that stand open. */
export function identify(socket: TLSSocket, { trust, registry, clock }: Omit<Channel, 'host'>): ChannelCaller {
  const certificate = identifyPeer(socket, trust, clock.now());
  const participant = registry.findByCertificate(certificate);
  checkAddress(participant, socket.remoteAddress);
  return { certificate, participant };
}

/**
 * Refuses 400 `host.duplicate` unless there is exactly one Host header (HTTP/1.0 may send none), and 421 `host.misdirected` where it is not ours or
 * the target is more than a path.
 */
export function checkHost(request: FastifyRequest, expected: string): void {
  if (hostsNamed(request.raw.rawHeaders) !== 1) throw hostDuplicate();
  if (request.headers.host?.toLowerCase() !== expected) {
    throw new Refusal('misdirected', 'host.misdirected', `this door is ${expected}`, { field: 'host' });
  }
  // An absolute target would be a second opinion about the host, and the one that counts (RFC 9112 §3.2.2).
  if (!request.raw.url?.startsWith('/')) throw new Refusal('misdirected', 'host.misdirected', 'send the path alone, from "/" on');
}

function pathOf(request: FastifyRequest): string {
  return request.raw.url?.split('?', 1)[0] ?? '';
}
