import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '#kernel';
import { toProblem } from '#contract';

/** What Node's HTTP parser gives up on, in our words. Anything else it cannot read is `request.malformed`. */
const KNOWN: Readonly<Record<string, [status: number, code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'request.headers_too_large', 'the request line and headers are too large together'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request.timeout', 'the request did not come in time'],
};

const PARSER_ERRORS = /^(HPE_|ERR_HTTP_)/;

/**
 * Answers a request that never became one, and closes: after bytes that cannot be read, what follows is nobody's (RFC 9112 §11.2).
 * Such an answer is made before anybody knows the path, so it is problem+json but not signed.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A TLS handshake that failed or never began comes here too: there is nobody to tell, and an answer would wait for ever.
  if (!PARSER_ERRORS.test(error.code ?? '') || !socket.writable) return void socket.destroy();
  const [status, code, detail] = KNOWN[error.code ?? ''] ?? [400, 'request.malformed', 'this is not HTTP/1.1 as we read it'];
  const problem = { ...toProblem(new Refusal('malformed', code, detail), randomUUID()), status, title: STATUS_CODES[status] };
  const body = JSON.stringify(problem);
  const head = ['content-type: application/problem+json', `content-length: ${Buffer.byteLength(body)}`, 'connection: close'];
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
