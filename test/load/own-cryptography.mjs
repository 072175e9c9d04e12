// What the cryptography of one exchange costs, and nothing else: what both sides sign, verify and hash, and the TLS records between them. On as
// many cores as there are, because bank, gateway and PostgreSQL have them all, too.
import { createCipheriv, createDecipheriv, createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Bytes, as they are in the bench: what is signed, and what goes over the wire. */
const SIZES = { base: 350, record: 900, answerBase: 700, receipt: 500, request: 1_700, answer: 1_600 };

/** How many exchanges a second all cores could do, and the CPU that each takes. */
export async function ownCryptography({ alg, privateKey }, seconds) {
  const cpu = process.cpuUsage();
  const threads = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { alg, privateKey, seconds } });
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  const sides = await Promise.all(threads);
  const { user, system } = process.cpuUsage(cpu);
  const sum = (pick) => sides.reduce((total, side) => total + pick(side), 0);
  return { rate: sum(({ done, ms }) => (done * 1_000) / ms), cpuMs: (user + system) / 1_000 / sum(({ done }) => done) };
}

/** The bank signs with its own key, of whatever algorithm; the gateway's are Ed25519. */
function exchangeOnce({ alg, privateKey }) {
  const bank = { privateKey, publicKey: createPublicKey(privateKey), hash: alg === 'EdDSA' ? null : 'sha256' };
  const gateway = { ...generateKeyPairSync('ed25519'), hash: null };
  const bytes = Object.fromEntries(Object.entries(SIZES).map(([name, length]) => [name, randomBytes(length)]));
  const sealed = tlsRecords();
  // Signatures in DER, which is how OpenSSL has them: turning them is no cryptography, and Node 24 is slow at it.
  const signed = ({ hash, privateKey }, data) => sign(hash, data, privateKey);
  const verified = ({ hash, publicKey }, data, signature) => {
    if (!verify(hash, data, publicKey, signature)) throw new Error('a good signature was refused');
  };
  return () => {
    const record = signed(bank, bytes.record);
    digest(bytes.record);
    const request = signed(bank, bytes.base);
    sealed(bytes.request);
    verified(bank, bytes.base, request);
    digest(bytes.record);
    verified(bank, bytes.record, record);
    digest(bytes.record);
    const receipt = signed(gateway, bytes.receipt);
    digest(bytes.receipt);
    const answer = signed(gateway, bytes.answerBase);
    sealed(bytes.answer);
    verified(gateway, bytes.answerBase, answer);
    digest(bytes.receipt);
    verified(gateway, bytes.receipt, receipt);
  };
}

const digest = (data) => createHash('sha256').update(data).digest();

/** TLS_AES_256_GCM_SHA384, sealed by one side and opened by the other: contexts that live as long as their connection, as in TLS. */
function tlsRecords() {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const [cipher, decipher] = [createCipheriv('aes-256-gcm', key, iv), createDecipheriv('aes-256-gcm', key, iv)];
  return (data) => decipher.update(cipher.update(data));
}

if (!isMainThread) {
  const once = exchangeOnce(workerData);
  const startMs = performance.now();
  let done = 0;
  for (; performance.now() - startMs < workerData.seconds * 1_000; done++) once();
  parentPort.postMessage({ done, ms: performance.now() - startMs });
}
