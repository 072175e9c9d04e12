import { generateKeyPairSync, hash, randomBytes, randomUUID } from 'node:crypto';
import { checkServerIdentity as verifyName, type PeerCertificate } from 'node:tls';
import { Agent, request } from 'undici';
import { createHttpSigner, encodeBase64Url, type HttpSigner, signRequest } from '#evidence';
import { signWithoutDigest } from './narrow-signature.js';
import type { SigningKey } from '#sdk';
import type { Probe } from './probe.js';

/** A bank, as which the gateway is probed. */
export interface GatewayProbing {
  readonly origin: string;
  readonly participant: string;
  readonly ca: string;
  readonly certificate: ClientCertificate;
  /** One that the gateway must refuse because it was revoked. Without it this is not probed. */
  readonly revoked?: ClientCertificate | undefined;
  readonly signingKey: SigningKey;
  readonly now: () => Date;
}

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

interface Sending {
  /** Null: none. */
  readonly certificate?: ClientCertificate | null;
  readonly signer?: HttpSigner;
  readonly at?: Date;
  readonly origin?: string;
  readonly sent?: string;
  readonly unsigned?: true;
  /** The body is not covered by the signature. */
  readonly uncovered?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly record?: string;
}

interface Answer {
  readonly status: number;
  readonly code: string;
}

const TEN_MINUTES_MS = 600_000;
/** Asks for nothing and acknowledges nothing. */
const NOTHING = JSON.stringify({ maxEvents: 0, returnImmediately: true });

export class GatewayProbes {
  private readonly agents: Agent[] = [];
  private good: { headers: Record<string, string> } | undefined;

  constructor(private readonly probing: GatewayProbing) {}

  all(): Probe[] {
    const { origin, now, signingKey, revoked } = this.probing;
    const signer = createHttpSigner(signingKey);
    const stranger = newSigner('nobodys-key');
    const refuses = (name: string, about: string, sending: Sending, code = name): Probe => ({
      name,
      about,
      run: async () => wrongUnless(code, await this.send(sending)),
    });
    return [
      { name: 'good', about: 'takes a good request', run: async () => wrongUnless('200', await this.sendGood()) },
      {
        name: 'nonce.replayed',
        about: 'refuses the very same request again',
        run: async () => wrongUnless('nonce.replayed', await this.sendAgain()),
      },
      refuses('digest.mismatch', 'refuses a body that is not the one that was signed', { sent: `${NOTHING} ` }),
      refuses('signature.expired', 'refuses a request that was signed ten minutes ago', { at: new Date(now().getTime() - TEN_MINUTES_MS) }),
      refuses(
        'signature.early',
        'refuses a request that was signed ten minutes from now',
        { at: new Date(now().getTime() + TEN_MINUTES_MS) },
        'signature.expired',
      ),
      refuses('signature.missing', 'refuses a request without a signature', { unsigned: true }),
      refuses('signature.component_missing', 'refuses a request whose signature does not cover the body', { uncovered: true }),
      refuses('signature.key_unknown', 'refuses a request under a key that is not registered', { signer: stranger }),
      refuses('signature.invalid', 'refuses a request forged under the name of a registered key', {
        signer: { ...stranger, kid: signer.kid },
      }),
      refuses(
        'signature.target',
        'refuses a request that was signed for another address',
        { origin: 'https://other.example' },
        'signature.invalid',
      ),
      refuses('host.misdirected', 'refuses a request for another host', { headers: { host: 'other.example' } }, '421'),
      refuses('certificate.missing', 'refuses a connection without a client certificate', { certificate: null }),
      ...(revoked ? [refuses('certificate.revoked', 'refuses a certificate that was revoked', { certificate: revoked })] : []),
      refuses(
        'record.unsigned',
        'refuses a record with the algorithm "none"',
        { record: unsignedRecord(signer.kid) },
        'signature.algorithm_refused',
      ),
      refuses('record.forged', 'refuses a record that its issuer did not sign', { record: forgedRecord(signer.kid) }, 'signature.invalid'),
      refuses(
        'record.header',
        'refuses a record whose header says where its key is to be fetched',
        { record: recordWithHeader(signer.kid, { jku: 'https://other.example/keys' }) },
        'signature.header_refused',
      ),
      refuses('record.padded', 'refuses a record in base64 with padding', { record: paddedRecord(signer.kid) }, 'signature.malformed'),
      { name: 'answer.signed', about: `its answers are signed for ${new URL(origin).host}`, run: () => this.mustSign() },
    ];
  }

  async close(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.close()));
  }

  private async sendGood(): Promise<Answer> {
    this.good = { headers: this.fieldsOf({}, NOTHING, '/v1/events/poll') };
    return await this.post('/v1/events/poll', this.good.headers, NOTHING, this.probing.certificate);
  }

  private async sendAgain(): Promise<Answer> {
    if (!this.good) throw new Error('nothing was sent before');
    return await this.post('/v1/events/poll', this.good.headers, NOTHING, this.probing.certificate);
  }

  private async send(sending: Sending): Promise<Answer> {
    const path = sending.record === undefined ? '/v1/events/poll' : '/v1/records';
    const body = sending.record ?? NOTHING;
    const headers = { ...this.fieldsOf(sending, body, path), ...sending.headers };
    const certificate = sending.certificate === null ? undefined : (sending.certificate ?? this.probing.certificate);
    return await this.post(path, headers, sending.sent ?? body, certificate);
  }

  private fieldsOf({ signer, at, origin, unsigned, uncovered, record }: Sending, body: string, path: string): Record<string, string> {
    const type = { 'content-type': record === undefined ? 'application/json' : 'application/jose' };
    if (unsigned) return type;
    const digest = new Map([['sha-256' as const, hash('sha256', body, 'buffer')]]);
    const message = { method: 'POST', targetUri: `${origin ?? this.probing.origin}${path}`, headers: {} };
    const made = { at: at ?? this.probing.now(), nonce: randomBytes(16).toString('base64url') };
    const by = signer ?? createHttpSigner(this.probing.signingKey);
    const fields = signRequest(message, digest, by, made);
    return { ...type, ...fields, ...(uncovered ? signWithoutDigest(message, by, made) : {}) };
  }

  private async mustSign(): Promise<string | undefined> {
    const dispatcher = this.agentOf(this.probing.certificate);
    const { headers, body } = await request(`${this.probing.origin}/v1/participants/me`, { dispatcher });
    await body.dump();
    return /tag="fapi-2-response"/.test(String(headers['signature-input'])) && headers['content-digest']
      ? undefined
      : 'an answer without a signature';
  }

  private async post(path: string, headers: Record<string, string>, body: string, certificate?: ClientCertificate): Promise<Answer> {
    const dispatcher = this.agentOf(certificate);
    const answer = await request(`${this.probing.origin}${path}`, { method: 'POST', headers, body, dispatcher });
    const problem = (await answer.body.json().catch(() => ({}))) as { code?: string };
    return { status: answer.statusCode, code: problem.code ?? '' };
  }

  private agentOf(certificate: ClientCertificate | undefined): Agent {
    // The name that is verified is that of the address we meant, whatever a probe says in Host.
    const { hostname } = new URL(this.probing.origin);
    const checkServerIdentity = (_host: string, shown: PeerCertificate) => verifyName(hostname, shown);
    const agent = new Agent({ connect: { ca: this.probing.ca, checkServerIdentity, ...certificate } });
    this.agents.push(agent);
    return agent;
  }
}

function wrongUnless(expected: string, { status, code }: Answer): string | undefined {
  if (String(status) === expected || code === expected) return undefined;
  return `answered ${status}${code === '' ? '' : ` ${code}`}, expected ${expected}`;
}

function newSigner(kid: string): HttpSigner {
  return createHttpSigner({ kid, alg: 'EdDSA', privateKey: generateKeyPairSync('ed25519').privateKey });
}

function unsignedRecord(kid: string): string {
  return `${encode({ alg: 'none', kid, typ: 'credit-record+jwt' })}.${encode({ jti: randomUUID() })}.`;
}

function forgedRecord(kid: string): string {
  return recordWithHeader(kid, {});
}

function recordWithHeader(kid: string, more: Readonly<Record<string, string>>): string {
  const header = encode({ alg: 'EdDSA', kid, typ: 'credit-record+jwt', ...more });
  return `${header}.${encode({ jti: randomUUID() })}.${encodeBase64Url(new Uint8Array(randomBytes(64)))}`;
}

function paddedRecord(kid: string): string {
  return `${forgedRecord(kid)}==`;
}

function encode(value: object): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}
