import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEd25519Signer, type JsonObject, signJws, signRequest } from '#evidence';
import { FileEventLedger } from './event-ledger.js';
import { EventReceiver, EventRejectedError, type ReceivedEvent } from './event-receiver.js';

const newSigner = (kid: string) => createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
const gateway = newSigner('gateway-1');
const stranger = newSigner('stranger-1');
const url = 'https://bank.example/events?tenant=1';
const at = new Date('2026-11-22T08:00:00.000Z');
const folder = mkdtempSync(path.join(tmpdir(), 'receiver-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let file: string;
let ledger: FileEventLedger;
let heard: ReceivedEvent[];
let handle: (event: ReceivedEvent) => Promise<void>;
let receiver: EventReceiver;
let nonce = 0;
let loads = 0;
let failures: string[];

afterEach(() => ledger.close().catch(() => undefined));
beforeEach(async () => {
  heard = [];
  loads = 0;
  handle = async (event) => void heard.push(event);
  file = path.join(folder, String(++nonce));
  ledger = await FileEventLedger.open(file);
  failures = [];
  // As `BankClient.keys` gives them.
  const keys = async () => (loads++, { keys: [gateway.publicJwk] });
  const failed = (error: unknown) => void failures.push(String(error));
  const options = { url, participant: 'bank-a', issuer: 'https://gateway.test', keys, ledger, failed, now: () => at };
  receiver = new EventReceiver({ ...options, handle: (event) => handle(event) });
});

const claims = (more: JsonObject = {}): JsonObject => ({
  iss: 'https://gateway.test',
  aud: 'bank-a',
  jti: '01939a6e-7a00-7abc-8def-000000000001',
  iat: 1_763_798_400,
  sub_id: { format: 'opaque', id: 'lnk_1' },
  events: { 'urn:tallystick:event:rating.changed': { changedAt: '2026-11-22T08:00:00.000Z' } },
  ...more,
});
const set = (more: JsonObject = {}, signer = gateway, typ = 'secevent+jwt') => signJws(typ, claims(more), signer);

interface Changes {
  readonly signer?: typeof gateway;
  readonly at?: Date;
  readonly digestOf?: string;
  readonly url?: string;
  readonly nonce?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly method?: string;
}

function send(token: string, changes: Changes = {}) {
  const body = Buffer.from(token);
  const digest = new Map([
    [
      'sha-256' as const,
      createHash('sha256')
        .update(changes.digestOf ?? token)
        .digest(),
    ],
  ]);
  const message = { method: 'POST', targetUri: changes.url ?? url, headers: {} };
  const made = { at: changes.at ?? at, nonce: changes.nonce ?? `nonce-${++nonce}-padding` };
  const fields = signRequest(message, digest, changes.signer ?? gateway, made);
  const headers = { ...fields, 'content-type': 'application/secevent+jwt', ...changes.headers };
  return receiver.receive({ method: changes.method ?? 'POST', headers, body });
}

describe('a receiver of events', () => {
  it('hands an event over once, acknowledges every repetition, and keeps the token', async () => {
    const token = set();
    expect(await send(token)).toEqual({ status: 202 });
    expect(await send(token)).toEqual({ status: 202 });
    expect(heard).toEqual([
      {
        jti: claims()['jti'],
        kind: 'rating.changed',
        subject: 'lnk_1',
        at: new Date(1_763_798_400_000),
        body: { changedAt: '2026-11-22T08:00:00.000Z' },
        token,
      },
    ]);
    expect(loads).toBe(1);
  });

  it('two of one event at once are one', async () => {
    const token = set();
    expect(await Promise.all([send(token), send(token), send(token)])).toEqual([{ status: 202 }, { status: 202 }, { status: 202 }]);
    expect(heard).toHaveLength(1);
  });

  it('many at once are all kept, over a restart too', async () => {
    const tokens = Array.from({ length: 20 }, (_, i) => set({ jti: `01939a6e-7a00-7abc-8def-0000000001${String(i).padStart(2, '0')}` }));
    expect((await Promise.all(tokens.map((token) => send(token)))).every(({ status }) => status === 202)).toBe(true);
    await ledger.close();
    const again = await FileEventLedger.open(file);
    const ran = await Promise.all(heard.map(({ jti }) => again.once(jti, () => Promise.resolve())));
    expect(ran).toEqual(heard.map(() => false));
    await again.close();
  });

  it.each([
    ['a list', [gateway.publicJwk]],
    ['a set', { keys: [gateway.publicJwk] }],
  ])('takes the keys as %s', async (_form, keys) => {
    const options = { url, participant: 'bank-a', issuer: 'https://gateway.test', ledger, now: () => at };
    receiver = new EventReceiver({ ...options, keys: () => Promise.resolve(keys), handle: (event) => handle(event) });
    expect([await send(set()), heard.length]).toEqual([{ status: 202 }, 1]);
  });

  it('echoes a challenge and hands it to nobody', async () => {
    const events = { 'urn:tallystick:event:webhook.challenge': { challenge: 'abc' } };
    expect(await send(set({ events }))).toEqual({ status: 200, body: { challenge: 'abc' } });
    expect(heard).toEqual([]);
  });

  it('tells a rejection in the bank’s words, and takes the event when it comes again', async () => {
    handle = () => Promise.reject(new EventRejectedError('no_such_customer', 'unknown reference'));
    expect(await send(set())).toEqual({ status: 400, body: { err: 'no_such_customer', description: 'unknown reference' } });
    handle = async (event) => void heard.push(event);
    expect(await send(set())).toEqual({ status: 202 });
    expect(heard).toHaveLength(1);
  });

  it('asks for another try where it breaks itself, and says here what broke', async () => {
    handle = () => Promise.reject(new Error('our database is down'));
    expect(await send(set())).toEqual({ status: 500 });
    await ledger.close();
    handle = () => Promise.resolve();
    expect(await send(set())).toEqual({ status: 500 });
    const noKeys = () => Promise.reject(new Error('the gateway is not there'));
    const options = { url, participant: 'bank-a', issuer: 'https://gateway.test', keys: noKeys, ledger, handle };
    receiver = new EventReceiver({ ...options, failed: (error) => void failures.push(String(error)), now: () => at });
    expect(await send(set())).toEqual({ status: 500 });
    const [first, , last] = failures;
    expect([failures.length, first, last]).toEqual([3, 'Error: our database is down', 'Error: the gateway is not there']);
  });

  it.each<[string, string, Changes, number, string]>([
    ['an altered body', set({ iat: 1 }), { digestOf: set() }, 401, 'digest.mismatch'],
    ['an old message', set(), { at: new Date(at.getTime() - 61_000) }, 401, 'signature.expired'],
    ['a message of the future', set(), { at: new Date(at.getTime() + 11_000) }, 401, 'signature.expired'],
    ['an unknown key', set(), { signer: stranger }, 401, 'signature.key_unknown'],
    ['a forged key', set(), { signer: { ...stranger, kid: gateway.kid } }, 401, 'signature.invalid'],
    ['another address', set(), { url: 'https://other.example/events' }, 401, 'signature.invalid'],
    ['no signature', set(), { headers: { signature: undefined } }, 401, 'signature.missing'],
    ['a token of an unknown key', set({}, stranger), {}, 400, 'signature.key_unknown'],
    ['an altered token', set().replace(/\.([^.]*)\./, (_, payload: string) => `.${alter(payload)}.`), {}, 400, 'signature.invalid'],
    ['a token of another type', set({}, gateway, 'record-receipt+jwt'), {}, 400, 'signature.header_refused'],
    ['another audience', set({ aud: 'bank-b' }), {}, 400, 'not meant for bank-a'],
    ['another issuer', set({ iss: 'https://other.test' }), {}, 400, 'not issued by'],
    ['two events in one', set({ events: { 'urn:tallystick:event:a': {}, 'urn:tallystick:event:b': {} } }), {}, 400, 'not one event'],
    ['no event', set({ events: {} }), {}, 400, 'not one event'],
  ])('refuses %s', async (_what, token, changes, status, words) => {
    const answer = await send(token, changes);
    expect(answer.status).toBe(status);
    expect(answer.body?.['description']).toContain(words);
    expect(heard).toEqual([]);
  });

  it('refuses a message that was received before', async () => {
    expect((await send(set(), { nonce: 'the-same-nonce' })).status).toBe(202);
    expect(await send(set(), { nonce: 'the-same-nonce' })).toMatchObject({ status: 401, body: { err: 'authentication_failed' } });
  });

  it('answers other methods and media types as HTTP does', async () => {
    expect(await send(set(), { method: 'GET' })).toEqual({ status: 405 });
    expect(await send(set(), { headers: { 'content-type': 'application/json' } })).toEqual({ status: 415 });
  });
});

function alter(payload: string): string {
  const text = Buffer.from(payload, 'base64url').toString().replace('bank-a', 'bank-b');
  return Buffer.from(text).toString('base64url');
}
