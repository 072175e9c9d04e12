import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DecisionClient } from './decision-client.js';
import { NoAnswerError } from './no-answer-error.js';
import { ProblemError } from './problem-error.js';

/** What the next call is answered; `lost`: the connection breaks instead. */
type Reply = { readonly status: number; readonly body?: object; readonly headers?: Record<string, string> } | 'lost';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly atMs: number;
}

let server: Server;
let client: DecisionClient;
let seen: Seen[];

const ask = { subject: 'sub_1', service: 'checkout', amount: { amount: '1.00', currency: 'CNY' } };
const allow: Reply = { status: 200, body: { outcome: 'ALLOW', decisionId: 'dec_1' } };
const problem = (status: number, code: string, headers: Record<string, string> = {}): Reply => ({
  status,
  body: { code, detail: '' },
  headers,
});

async function serve(replies: Reply[], options: object = {}): Promise<void> {
  seen = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString(), atMs: performance.now() });
      const reply = replies.shift() ?? allow;
      if (reply === 'lost') return request.socket.destroy();
      response.writeHead(reply.status, reply.headers).end(JSON.stringify(reply.body));
      return undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new DecisionClient({ origin, token: () => 'a.b.c', ...options });
}

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const keysAndBodies = () => seen.map(({ headers, body }) => `${String(headers['idempotency-key'])} ${body}`);

describe('what may be repeated is repeated, with the same key and the same bytes', () => {
  it.each<[string, Reply[]]>([
    ['a lost answer', ['lost', 'lost']],
    ['503', [problem(503, 'overloaded'), problem(503, 'decision.unsettled')]],
    ['429', [problem(429, 'throttled')]],
    ['a proxy’s 502', [{ status: 502 }]],
    ['a first call still in flight', [problem(409, 'idempotency.in_flight')]],
  ])('%s', async (_name, replies) => {
    const count = replies.length + 1;
    await serve(replies);
    expect(await client.reserve(ask, 'key-12345678')).toMatchObject({ answer: { outcome: 'ALLOW' }, repeated: false });
    expect(seen).toHaveLength(count);
    expect(new Set(keysAndBodies()).size).toBe(1);
    expect(keysAndBodies()[0]).toBe(`key-12345678 ${JSON.stringify({ ...ask, mode: 'RESERVE' })}`);
  });

  it('and Retry-After is kept', async () => {
    await serve([problem(503, 'overloaded', { 'retry-after': '1' })]);
    await client.evaluate(ask);
    expect(seen[1]!.atMs - seen[0]!.atMs).toBeGreaterThan(990);
  });

  it('and an expired token is replaced, once for many calls', async () => {
    let asked = 0;
    const exp = Math.floor(Date.now() / 1000) + 600;
    const token = () => `a.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.${++asked}`;
    await serve([problem(401, 'token.expired')], { token });
    await client.evaluate(ask);
    await Promise.all([client.evaluate(ask), client.evaluate(ask)]);
    expect(asked).toBe(2);
  });
});

describe('what stands is not repeated', () => {
  it.each<[number, string]>([
    [400, 'decision.malformed'],
    [401, 'token.invalid'],
    [403, 'scope.missing'],
    [404, 'subject.unknown'],
    [409, 'payment_reference.taken'],
    [422, 'idempotency.key_reused'],
    [500, 'internal'],
  ])('%i %s', async (status, code) => {
    await serve([{ status, body: { code, detail: 'because', field: '/x', instance: 'urn:uuid:1' } }]);
    const error = await client.reserve(ask, 'key-12345678').catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status, code, detail: 'because', field: '/x', instance: 'urn:uuid:1' });
    expect(seen).toHaveLength(1);
  });
});

describe('after the deadline', () => {
  const never = Array.from({ length: 3 }, (): Reply => 'lost');

  it('the key is looked up before giving up', async () => {
    await serve(['lost', allow], { deadlineMs: 20 });
    expect(await client.reserve(ask, 'key-12345678')).toMatchObject({ answer: { decisionId: 'dec_1' }, repeated: true });
    expect(seen.at(-1)).toMatchObject({ method: 'GET', url: '/v1/decisions?key=key-12345678&subject=sub_1' });
  });

  it('no answer is no yes', async () => {
    await serve([...never, problem(404, 'decision.unknown')], { deadlineMs: 1 });
    const error = await client.evaluate(ask).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ code: 'no_answer', attempts: 1 });
  });

  it('an attempt that hangs ends', async () => {
    await serve([], { attemptMs: 30, deadlineMs: 60 });
    server.removeAllListeners('request');
    await expect(client.evaluate(ask)).rejects.toBeInstanceOf(NoAnswerError);
  });
});
