import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { hash } from 'node:crypto';
import { EVENT_TOKEN_TYPE, SECEVENT_MEDIA_TYPE, WEBHOOK_CHALLENGE_URI } from '#contract';
import { createEd25519Signer, encodeBase64Url, type JsonObject, type Signer, signJws, signRequest } from '#evidence';
import type { PushTarget } from '#standing';
import type { HttpsWebhookPush } from '#standing/adapters/https-webhook-push';
import { signWithoutDigest } from './narrow-signature.js';
import type { Probe } from './probe.js';

/** What the probes of a partner's webhook need. Every probe is a challenge: a receiver that takes one by mistake has done nothing by it. */
export interface PartnerProbing {
  readonly target: PushTarget;
  readonly issuer: string;
  /** Our keys towards partners: for tokens, and for messages. */
  readonly tokenSigner: Signer;
  readonly messageSigner: Signer;
  readonly push: Pick<HttpsWebhookPush, 'post'>;
  readonly now: () => Date;
}

interface Wrong {
  readonly claims?: JsonObject;
  readonly tokenSigner?: Signer;
  /** What is sent in the token's place, whatever was signed. */
  readonly sent?: (token: string) => string;
  readonly altered?: (token: string) => string;
  readonly messageSigner?: Signer;
  readonly at?: Date;
  readonly url?: string;
  readonly unsigned?: true;
  /** The body is not covered by the signature. */
  readonly uncovered?: true;
  readonly typ?: string;
  readonly contentType?: string;
}

const TEN_MINUTES_MS = 600_000;

export function partnerProbes(probing: PartnerProbing): Probe[] {
  const stranger = newSigner('nobodys-key');
  const forger = { ...stranger, kid: probing.messageSigner.kid };
  const [old, early] = [-TEN_MINUTES_MS, TEN_MINUTES_MS].map((ms) => new Date(probing.now().getTime() + ms)) as [Date, Date];
  const good = compose(probing, {});
  const refuses = (name: string, about: string, wrong: Wrong): Probe => ({
    name,
    about,
    run: () => mustRefuse(probing, compose(probing, wrong)),
  });
  return [
    { name: 'good', about: 'takes a good message and echoes its challenge', run: () => mustEcho(probing, good) },
    { name: 'nonce.replayed', about: 'refuses the very same message again', run: () => mustRefuse(probing, good) },
    refuses('digest.mismatch', 'refuses a body that is not the one that was signed', { sent: (token) => `${token.slice(0, -4)}AAAA` }),
    refuses('signature.expired', 'refuses a message that was signed ten minutes ago', { at: old }),
    refuses('signature.early', 'refuses a message that was signed ten minutes from now', { at: early }),
    refuses('signature.missing', 'refuses a message without a signature', { unsigned: true }),
    refuses('signature.key_unknown', 'refuses a message under a key that we do not publish', { messageSigner: stranger }),
    refuses('signature.invalid', 'refuses a message forged under the name of our key, as with one that was taken from us', {
      messageSigner: forger,
    }),
    refuses('signature.target', 'refuses a message that was signed for another address', { url: 'https://other.example/events' }),
    refuses('signature.component_missing', 'refuses a message whose signature does not cover the body', { uncovered: true }),
    refuses('media_type.unsupported', 'refuses a message that is not application/secevent+jwt', { contentType: 'application/json' }),
    refuses('set.typ', 'refuses another document of ours in the place of a token', { typ: 'record-receipt+jwt' }),
    refuses('set.altered', 'refuses a token that was changed after it was signed', { altered: alterPayload }),
    refuses('set.key_unknown', 'refuses a token under a key that we do not publish', { tokenSigner: stranger }),
    refuses('set.unsigned', 'refuses a token with the algorithm "none"', { altered: unsign }),
    refuses('set.audience', 'refuses a token that is meant for another bank', { claims: { aud: `not-${probing.target.participant}` } }),
    refuses('set.issuer', 'refuses a token of another issuer', { claims: { iss: 'https://other.example' } }),
  ];
}

interface Composed {
  readonly challenge: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

function compose({ target, issuer, tokenSigner, messageSigner, now }: PartnerProbing, wrong: Wrong): Composed {
  const challenge = randomBytes(32).toString('base64url');
  const claims: JsonObject = {
    iss: issuer,
    aud: target.participant,
    jti: randomUUID(),
    iat: Math.floor(now().getTime() / 1_000),
    sub_id: { format: 'opaque', id: target.participant },
    events: { [WEBHOOK_CHALLENGE_URI]: { challenge } },
    ...wrong.claims,
  };
  const signed = signJws(wrong.typ ?? EVENT_TOKEN_TYPE, claims, wrong.tokenSigner ?? tokenSigner);
  const token = wrong.altered?.(signed) ?? signed;
  const digest = new Map([['sha-256' as const, hash('sha256', token, 'buffer')]]);
  const message = { method: 'POST', targetUri: wrong.url ?? target.url, headers: {} };
  const made = { at: wrong.at ?? now(), nonce: randomBytes(16).toString('base64url') };
  const by = wrong.messageSigner ?? messageSigner;
  const fields = wrong.unsigned
    ? {}
    : { ...signRequest(message, digest, by, made), ...(wrong.uncovered && signWithoutDigest(message, by, made)) };
  const type = { 'content-type': wrong.contentType ?? SECEVENT_MEDIA_TYPE };
  return { challenge, fields: { ...fields, ...type }, body: Buffer.from(wrong.sent?.(token) ?? token) };
}

async function mustEcho({ push, target }: PartnerProbing, { fields, body, challenge }: Composed): Promise<string | undefined> {
  const answer = await push.post(target, fields, body);
  if ('trouble' in answer) return `${answer.trouble.err}: ${answer.trouble.description ?? ''}`;
  return answer.status === 200 && answer.body?.['challenge'] === challenge ? undefined : `answered ${answer.status} without the challenge`;
}

/** A clear refusal is 4xx; a receiver that breaks or stays silent has not refused. */
async function mustRefuse({ push, target }: PartnerProbing, { fields, body, challenge }: Composed): Promise<string | undefined> {
  const answer = await push.post(target, fields, body);
  if ('trouble' in answer) return `${answer.trouble.err}: ${answer.trouble.description ?? ''}`;
  if (answer.body?.['challenge'] === challenge) return 'took it and echoed the challenge';
  return answer.status >= 400 && answer.status < 500 ? undefined : `answered ${answer.status}`;
}

function newSigner(kid: string): Signer {
  return createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
}

function alterPayload(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject;
  return [header, encodeJson({ ...claims, iat: Number(claims['iat']) + 1 }), signature].join('.');
}

function unsign(token: string): string {
  const [header = '', payload] = token.split('.');
  const { kid, typ } = JSON.parse(Buffer.from(header, 'base64url').toString()) as JsonObject;
  return [encodeJson({ alg: 'none', kid: kid ?? null, typ: typ ?? null }), payload, ''].join('.');
}

function encodeJson(value: JsonObject): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}
