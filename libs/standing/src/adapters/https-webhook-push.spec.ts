import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkWithNode, createEd25519Signer, parsePublicJwk, REQUEST_PROFILE, verifyHttpSignature } from '#evidence';
import { ensureDevelopmentPki } from '../../../../certs/make-dev-pki.js';
import { HttpsWebhookPush, pushSettings } from './https-webhook-push.js';
import { WebhookAddresses } from './webhook-addresses.js';

const signer = createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'response-1' });
const loopback = new WebhookAddresses(['127.0.0.0/8', '::1/128']);
const folder = mkdtempSync(path.join(tmpdir(), 'push-'));
const read = (name: string) => readFileSync(path.join(folder, 'server', name), 'utf8');

let server: Server;
let url: string;
let answer: RequestListener;
let asked = 0;
let push: HttpsWebhookPush;

beforeAll(async () => {
  await ensureDevelopmentPki(folder, new Date());
  server = createServer({ cert: read('cert.pem'), key: read('key.pem') }, (request, response) => {
    asked++;
    request.resume().once('end', () => answer(request, response));
  });
  // On every address of this machine, so that another of its names leads here, too.
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  url = `https://localhost:${(server.address() as AddressInfo).port}/events?tenant=1`;
});
afterEach(() => push.close());
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function pushTo(target: string, { addresses = loopback, trusted = true, timeoutMs = 5_000 } = {}) {
  push = new HttpsWebhookPush({ addresses, timeoutMs, ...(trusted ? { extraCa: read('ca.pem') } : {}) }, () => signer);
  return push.push({ participant: 'bank-a', url: target }, 'a.b.c');
}
const says = (status: number, headers: Record<string, string> = {}, body = ''): RequestListener => {
  return (_request, response) => response.writeHead(status, headers).end(body);
};

describe('a push', () => {
  it('is a signed POST of the token, and tells the answer', async () => {
    const seen: Parameters<RequestListener>[0][] = [];
    answer = (request, response) => {
      seen.push(request);
      response.writeHead(202).end();
    };
    expect(await pushTo(url)).toEqual({ status: 202, body: undefined });
    const [request] = seen;
    expect(request!.headers).toMatchObject({ 'content-type': 'application/secevent+jwt', host: new URL(url).host });
    const key = { ...parsePublicJwk(signer.publicJwk), state: 'ACTIVE' as const };
    const message = { method: 'POST', targetUri: url, headers: request!.headers };
    await verifyHttpSignature(message, REQUEST_PROFILE, { findKey: () => key, check: checkWithNode, at: new Date() });
  });

  it('reads a small JSON answer, and nothing of any other', async () => {
    const json = { 'content-type': 'application/json' };
    answer = says(400, json, '{"err":"invalid_request"}');
    expect(await pushTo(url)).toEqual({ status: 400, body: { err: 'invalid_request' } });
    for (const [headers, body] of [
      [json, '{"err":1,"err":2}'],
      [json, `{"err":"${'x'.repeat(5_000)}"}`],
      [{ 'content-type': 'text/html' }, '{"err":"invalid_request"}'],
    ] as const) {
      answer = says(400, headers, body);
      expect(await push.push({ participant: 'bank-a', url }, 'a.b.c')).toEqual({ status: 400, body: undefined });
    }
    answer = says(503, { 'retry-after': '30' });
    expect(await push.push({ participant: 'bank-a', url }, 'a.b.c')).toMatchObject({ status: 503, retryAfterSeconds: 30 });
    answer = says(503, { 'retry-after': 'Sun, 22 Nov 2026 08:00:00 GMT' });
    expect(await push.push({ participant: 'bank-a', url }, 'a.b.c')).toEqual({ status: 503, body: undefined });
  });

  it('follows no redirect', async () => {
    const before = asked;
    answer = says(307, { location: url });
    expect(await pushTo(url)).toMatchObject({ status: 307 });
    expect(asked).toBe(before + 1);
  });

  it.each([
    ['a name that leads to this machine', () => url],
    ['an address of this machine', () => url.replace('localhost', '127.0.0.1')],
    ['the same in IPv6', () => url.replace('localhost', '[::ffff:127.0.0.1]')],
  ])('never reaches %s unless it is allowed', async (_what, target) => {
    const before = asked;
    expect(await pushTo(target(), { addresses: new WebhookAddresses([]) })).toMatchObject({ trouble: { err: 'address_refused' } });
    expect(asked).toBe(before);
  });

  it('believes no certificate that nobody it knows has signed, or that is for another name', async () => {
    const before = asked;
    expect(await pushTo(url, { trusted: false })).toMatchObject({ trouble: { err: 'tls_failed' } });
    await push.close();
    expect(await pushTo(url.replace('localhost', '127.0.0.2'))).toMatchObject({ trouble: { err: 'tls_failed' } });
    expect(asked).toBe(before);
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    ['never ends its answer', (_request, response) => response.writeHead(400, { 'content-type': 'application/json' }).write('{')],
  ])('waits no longer than its time for a receiver that %s', async (_what, listener) => {
    answer = listener;
    expect(await pushTo(url, { timeoutMs: 300 })).toMatchObject({ trouble: { err: 'timeout' } });
  });

  it('tells a connection that is refused or broken from the rest', async () => {
    expect(await pushTo('https://localhost:1/')).toMatchObject({ trouble: { err: 'connection_failed' } });
    await push.close();
    answer = (request) => request.socket.destroy();
    expect(await pushTo(url)).toMatchObject({ trouble: { err: 'connection_failed' } });
  });

  it.each([
    [{ WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8, intranet', WEBHOOK_CA_FILE: undefined }, 'WEBHOOK_ALLOWED_NETWORKS: intranet is no network'],
    [{ WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/99', WEBHOOK_CA_FILE: undefined }, 'WEBHOOK_ALLOWED_NETWORKS'],
    [{ WEBHOOK_ALLOWED_NETWORKS: '', WEBHOOK_CA_FILE: '/nowhere/ca.pem' }, 'WEBHOOK_CA_FILE'],
  ])('does not begin with settings that are wrong: %j', (settings, words) => {
    expect(() => pushSettings({ ...settings, WEBHOOK_TIMEOUT_MS: 5_000 })).toThrow(words);
  });
});
