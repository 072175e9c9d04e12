import { webCrypto } from '../crypto/web-crypto.js';
import { parsePublicJwkWithWeb, verifyJwsWithWeb } from '../jose/web-jws.js';
import type { EvidenceReport } from './evidence-steps.js';
import { type EvidenceTools, type EvidenceTrust, verifyEvidenceWith } from './verify-record-evidence.js';

const WEB: EvidenceTools = { crypto: webCrypto, verifyJws: verifyJwsWithWeb, parsePublicJwk: parsePublicJwkWithWeb };

/** `verifyRecordEvidence` for browsers: every step but certificate and revocation, which are not shown. */
export function verifyRecordEvidenceWithWeb(bytes: Uint8Array, trust: EvidenceTrust): Promise<EvidenceReport> {
  return verifyEvidenceWith(WEB, bytes, trust);
}
