// Fifty receivers in a process of their own. They verify nothing: what is measured is the sender. /hang/… echoes its challenge and then never answers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';

const [home] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(home, 'pki', 'server', name));
let latencies = [];
let seen = new Set();
let repeated = 0;

const server = createServer({ cert: read('cert.pem'), key: read('key.pem') }, (request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const payload = Buffer.concat(pieces).toString().split('.')[1];
    const [body] = Object.values(JSON.parse(Buffer.from(payload, 'base64url').toString()).events);
    if (body.challenge !== undefined) return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url.startsWith('/hang/')) return undefined;
    if (seen.has(body.n)) repeated++;
    else latencies.push(Date.now() - body.toldAtMs);
    seen.add(body.n);
    return response.writeHead(202).end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

const ANSWERS = {
  forget: () => {
    [latencies, seen, repeated] = [[], new Set(), 0];
    return {};
  },
  count: () => ({ arrived: latencies.length }),
  latencies: () => ({ latencies, repeated }),
};
process.on('message', (what) => process.send(ANSWERS[what]()));
process.on('disconnect', () => process.exit());
