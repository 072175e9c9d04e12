// node test/load/beside-sender.mjs <home> <origin> <file> <lines>: bank B sends this sealed batch again and again, until it is ended; its manifest signs another
// root, so that each is read to its end and refused, and leaves the worker nothing to do. Prints a line for each.
import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { Agent, request } from 'undici';
import { createHttpSigner, encodeBase64Url, signRequest } from '#evidence';
import { uuidV7 } from '#kernel';

const [home, origin, file, lines] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
const jwk = JSON.parse(read('clients/bank-b/signing-key.jwk.json'));
const signer = createHttpSigner({ kid: jwk.kid, alg: jwk.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) });
const tls = { ca: read('server/ca.pem'), cert: read('clients/bank-b/cert.pem'), key: read('clients/bank-b/key.pem') };
const dispatcher = new Agent({ connect: tls });
const body = readFileSync(file);

for (;;) {
  const manifest = Buffer.from(`${manifestOfAnother()}\n`);
  const digest = new Map([['sha-256', createHash('sha256').update(manifest).update(body).digest()]]);
  const targetUri = `${origin}/v1/record-batches?profile=sealed`;
  const fields = signRequest({ method: 'POST', targetUri, headers: {} }, digest, signer, {
    at: new Date(),
    nonce: randomBytes(16).toString('hex'),
  });
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': String(manifest.length + body.length), ...fields };
  const startMs = performance.now();
  const answer = await request(targetUri, { method: 'POST', headers, body: pieces(manifest), dispatcher });
  const text = await answer.body.text();
  if (!text.includes('batch.root_mismatch')) throw new Error(`${answer.statusCode} ${text}`);
  console.log(JSON.stringify({ lines: Number(lines), ms: performance.now() - startMs }));
}

function manifestOfAnother() {
  const claims = { iss: 'bank-b', jti: uuidV7(Date.now(), randomBytes(10)), iat: Math.floor(Date.now() / 1_000), count: Number(lines) };
  const text = (value) => encodeBase64Url(Buffer.from(JSON.stringify(value)));
  const input = `${text({ alg: signer.alg, kid: signer.kid, typ: 'record-batch+jwt' })}.${text({ ...claims, root: encodeBase64Url(randomBytes(32)) })}`;
  return `${input}.${encodeBase64Url(signer.sign(Buffer.from(input)))}`;
}

async function* pieces(manifest) {
  yield manifest;
  for await (const piece of createReadStream(file, { highWaterMark: 1024 * 1024 })) yield piece;
}
