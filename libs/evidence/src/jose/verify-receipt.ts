import { Refusal } from '#kernel';
import { toBase64Url } from '../base64.js';
import { utf8 } from '../bytes.js';
import type { Vkey } from '../note/vkey.js';
import type { JsonObject } from './strict-json.js';
import type { FindKey, verifyJws } from './verify-jws.js';

/** The `typ` of a record receipt's header. */
export const RECORD_RECEIPT_TYP = 'record-receipt+jwt';

/** What a receipt of ours says. Refuses what `underReceiptKeys` and `verifyJws` refuse. */
export async function verifyReceipt(jws: string, typ: string, keys: readonly Vkey[], verify: typeof verifyJws): Promise<JsonObject> {
  return await underReceiptKeys(keys, async (findKey) => (await verify(utf8.encode(jws), typ, findKey)).value.payload);
}

/**
 * Verifies what was signed with a receipt key. It names its key by kid, trusted keys have none, and a receipt outlives the key that signed it: each of
 * them may be it. Refuses 422 `key.untrusted` where there is no key, and what `verify` refuses: of a signature only what it says of the last key.
 */
export async function underReceiptKeys<T>(keys: readonly Vkey[], verify: (findKey: FindKey) => Promise<T>): Promise<T> {
  let failed = new Refusal('unprocessable', 'key.untrusted', 'the trusted keys hold no receipt key (a name that ends in /receipt)');
  for (const { publicKey } of keys) {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey) };
    try {
      return await verify((kid) => ({ kid, alg: 'EdDSA', jwk, state: 'ACTIVE' }));
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'signature.invalid')) throw error;
      failed = error;
    }
  }
  throw failed;
}
