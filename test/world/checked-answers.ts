import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { ANSWERS, type Answer } from '../../apps/gateway/src/answers/answers.js';

const linesJudgedMax = 100;

const CALLS = Object.entries(ANSWERS).map(([call, answer]) => ({
  form: new RegExp(`^${call.replaceAll('.', '\\.').replace(/\{[^}]*\}/g, '[^/]+')}$`),
  answer,
}));

/** Holds every answer that the gateway gives against what its OpenAPI tells of it; what does not fit is added to what this answers. */
export function checkAnswers(server: Server): readonly string[] {
  const faults: string[] = [];
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const call = `${request.method} ${request.url!.split('?', 1)[0]}`;
    const pieces = piecesOf(response);
    const type = typeOf(response);
    response.once('finish', () => {
      const fault = judge(call, { status: response.statusCode, type: type() }, Buffer.concat(pieces));
      if (fault !== undefined) faults.push(`${call} ${response.statusCode}: ${fault}`);
    });
  });
  return faults;
}

/** What is written to it from now on. */
function piecesOf(response: ServerResponse): Buffer[] {
  const pieces: Buffer[] = [];
  for (const name of ['write', 'end'] as const) {
    const original = response[name].bind(response) as (...args: unknown[]) => never;
    response[name] = (...args: unknown[]) => {
      const [piece, encoding] = args;
      if (typeof piece === 'string') pieces.push(Buffer.from(piece, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
      else if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece));
      return original(...args);
    };
  }
  return pieces;
}

/** Its media type, once it is sent: Fastify hands headers to `writeHead`, which keeps none. */
function typeOf(response: ServerResponse): () => string {
  let sent: Record<string, unknown> = {};
  const original = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    sent = { ...response.getHeaders(), ...(args.at(-1) as object) };
    return original(...args);
  };
  return () => String(sent['content-type']).split(';', 1)[0]!;
}

function judge(call: string, { status, type }: { status: number; type: string }, body: Buffer): string | undefined {
  if (status >= 300) return undefined;
  const answer = CALLS.find(({ form }) => form.test(call))?.answer;
  if (!answer) return / \/(v1|\.well-known)\//.test(call) ? 'no answer is described' : undefined;
  if (!answer.statuses.includes(status as Answer['statuses'][number])) return 'this status is not described';
  if (status === 204) return undefined;
  const form = answer.content[type];
  if (!form) return `${type} is not described`;
  if (!form.schema) return undefined;
  const texts = type === 'application/x-ndjson' ? body.toString().split('\n').filter(Boolean).slice(0, linesJudgedMax) : [body.toString()];
  return texts.map((text) => difference(form.schema!, JSON.parse(text))).find((one) => one !== undefined);
}

type Schema = NonNullable<Answer['content'][string]['schema']>;

function difference(schema: Schema, value: unknown): string | undefined {
  const read = schema.safeParse(value);
  if (!read.success) return JSON.stringify(read.error.issues.slice(0, 3));
  return isDeepStrictEqual(read.data, value) ? undefined : `more is answered than is described: ${JSON.stringify(value).slice(0, 500)}`;
}
