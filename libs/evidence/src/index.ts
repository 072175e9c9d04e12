export * from './verifier.js';
export { nodeCrypto } from './crypto/node-crypto.js';
export { checkAside, checkWithNode, createHttpSigner, type HttpSigner } from './http-signatures/algorithms.js';
export { explainSteps, type SignatureStep } from './http-signatures/explain-signature.js';
export { isSigned, type SignatureFields, signRequest, signRequestAside, signResponse } from './http-signatures/sign-message.js';
export type { SignatureAlgorithm } from './jose/algorithm-names.js';
export { decodeBase64Url, encodeBase64Url } from './jose/base64url.js';
export { type JwsHeader, jwsBytesMax } from './jose/compact-jws.js';
export { explainJws, type JwsExplanation, type JwsStep } from './jose/explain-jws.js';
export { type JsonWebKey, parsePublicJwk, thumbprint, type VerificationKey, type VerificationKeyState } from './jose/keys.js';
export { createEd25519Signer, type Signer, signJws, signJwsAside } from './jose/sign-jws.js';
export type { JsonObject, JsonValue } from './jose/strict-json.js';
export { mapVerified } from './jose/verified.js';
export { type Bound, boundAt, type Item } from './negentropy/bound.js';
export type { OrderedItems } from './negentropy/fingerprint.js';
export { findPlaces } from './negentropy/find-places.js';
export { FirstItems } from './negentropy/first-items.js';
export { type AskingLimits, Initiator } from './negentropy/initiator.js';
export { respond, type Side } from './negentropy/respond.js';
export { type SetEditor, SetTree } from './negentropy/set-tree.js';
export { sortedRoot } from './negentropy/sorted-root.js';
export { packedItemBytes, packItem } from './negentropy/tree-key.js';
export * from './record-set/set-statement.js';
export * from './record-set/verify-agreement.js';
export { MANIFEST_TYPE, readManifest, type SealedManifest, verifySealedLine, verifySealedLines } from './sealed/sealed-batch.js';
export { type FindKey, type SignedJson, verifyJws } from './jose/verify-jws.js';
export { type CheckKind, type CheckMany, type SignatureCheck, verifyMany } from './jose/verify-many.js';
export { RECORD_EVIDENCE_TYPE, type FactEvidence, type RecordEvidence } from './record-evidence/evidence-form.js';
export { concernsKey, keyStateAt, type NamedKey } from './record-evidence/key-history.js';
export { CERTIFICATE_CHECKED, isCheckOf } from './record-evidence/checked-list.js';
export { concernsCertificate } from './record-evidence/presented-certificate.js';
export { verifyRecordEvidence } from './record-evidence/node-evidence.js';
export { type ConcealedClaims, concealClaims, joinSdJwt } from './sd-jwt/conceal-claims.js';
export { parseDisclosure } from './sd-jwt/disclosure.js';
export {
  type KeyBinding,
  KEY_BINDING_TYP,
  keyBindingClaims,
  type RevealedJwt,
  type SdJwt,
  splitSdJwt,
  verifyKeyBinding,
  verifySdJwt,
} from './sd-jwt/sd-jwt.js';
export { encodeStatusList, STATUS_LIST_TYP, statusAt, type TokenStatus } from './sd-jwt/status-list.js';
export { parseRevocationList, type RevocationList } from './revocation/revocation-list.js';
