import { nodeCrypto } from '../crypto/node-crypto.js';
import { parsePublicJwk } from '../jose/keys.js';
import { verifyJws } from '../jose/verify-jws.js';
import { checkRevocationList } from './checked-list.js';
import type { EvidenceReport } from './evidence-steps.js';
import { checkCertificate } from './presented-certificate.js';
import { type EvidenceTools, type EvidenceTrust, verifyEvidenceWith } from './verify-record-evidence.js';

const NODE: EvidenceTools = { crypto: nodeCrypto, verifyJws, parsePublicJwk, certificates: { checkCertificate, checkRevocationList } };

/** `verifyEvidenceWith` all that Node has: every step. */
export function verifyRecordEvidence(bytes: Uint8Array, trust: EvidenceTrust): Promise<EvidenceReport> {
  return verifyEvidenceWith(NODE, bytes, trust);
}
