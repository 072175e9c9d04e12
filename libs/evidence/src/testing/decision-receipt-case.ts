import { createHash, generateKeyPairSync } from 'node:crypto';
import { formatFactId, SHARDS } from '#kernel';
import { canonicalBytes, encodeLogEntry } from '../canonical.js';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { createEd25519Signer, type Signer, signJws } from '../jose/sign-jws.js';
import type { JsonObject } from '../jose/strict-json.js';
import { signCheckpoint } from '../note/checkpoint.js';
import { formatTlogProof } from '../note/tlog-proof.js';
import { formatVkey, vkeyOf } from '../note/vkey.js';
import { naiveLeaf, naivePath, naiveRoot } from './naive-tree.js';

const ORIGIN = 'log.test/decisions';
const SALT = '01939a6e-7a00-7abc-8def-000000000001';
const at = new Date('2027-01-01T12:00:00.000Z');

const newSigner = (kid: string): Signer =>
  createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });

/** The answer of `GET /v1/decisions/{id}/receipt`, as far as offline verifiers read it, and the lines of the file of trusted keys. */
export interface DecisionReceiptCase {
  readonly answer: { readonly receipt: string; readonly logIndex: string; readonly proof: string };
  readonly vkeys: string;
}

/** A sealed decision and its receipt, signed with a key that was rotated since. `change` alters claims before they are signed. */
export async function decisionReceiptCase(change: JsonObject = {}): Promise<DecisionReceiptCase> {
  const [log, receipts, newer] = [newSigner('log'), newSigner('receipt-1'), newSigner('receipt-2')];
  const told = { evaluation: { amount: '19900', currency: 'CNY', service: 'checkout' }, usage: '0:19900:1:0' };
  const committed = Buffer.concat([Buffer.from(SALT.replaceAll('-', ''), 'hex'), canonicalBytes(told)]);
  const commitment = createHash('sha256').update(committed).digest('hex');
  const [shard, seq] = [SHARDS[3]!, 7n];
  const entry = encodeLogEntry({ shard, seq, at, kind: 'decision.made', body: { commitment } });
  const leaves = [new Uint8Array(1), entry, new Uint8Array(2)].map(naiveLeaf);
  const checkpoint = await signCheckpoint(nodeCrypto, { origin: ORIGIN, size: BigInt(leaves.length), root: naiveRoot(leaves) }, log);
  const named = {
    jti: 'dec_1',
    sub: 'sub_1',
    fact: formatFactId(shard, seq),
    caller: 'wallet',
    decidedAt: at.toISOString(),
    outcome: 'ALLOW',
  };
  const claims = { iss: 'https://decisions.test', iat: at.getTime() / 1_000, ...named, ...told, salt: SALT, commitment, ...change };
  const receiptName = `${ORIGIN}/receipt`;
  const keys = [await vkeyOf(nodeCrypto, ORIGIN, log)];
  for (const signer of [newer, receipts]) keys.push(await vkeyOf(nodeCrypto, receiptName, signer));
  return {
    answer: {
      receipt: signJws('decision-receipt+jwt', claims, receipts),
      logIndex: '1',
      proof: formatTlogProof({ extra: entry, index: 1n, path: naivePath(1, leaves), checkpoint }),
    },
    vkeys: `${keys.map(formatVkey).join('\n')}\n`,
  };
}
