export * from './verifier.js';
export { nodeCrypto } from './crypto/node-crypto.js';
export { checkWithNode, createHttpSigner, type HttpSigner } from './http-signatures/algorithms.js';
export { explainSteps, type SignatureStep } from './http-signatures/explain-signature.js';
export { isSigned, type SignatureFields, signRequest, signResponse } from './http-signatures/sign-message.js';
export { rsaModulusBitsMin, type SignatureAlgorithm } from './jose/algorithms.js';
export { decodeBase64Url, encodeBase64Url } from './jose/base64url.js';
export { type JwsHeader, jwsBytesMax } from './jose/compact-jws.js';
export { explainJws, type JwsExplanation, type JwsStep } from './jose/explain-jws.js';
export { type JsonWebKey, parsePublicJwk, thumbprint, type VerificationKey, type VerificationKeyState } from './jose/keys.js';
export { createEd25519Signer, type Signer, signJws } from './jose/sign-jws.js';
export { jsonDepthMax, type JsonObject, type JsonValue, parseJsonStrict } from './jose/strict-json.js';
export { mapVerified } from './jose/verified.js';
export {
  MANIFEST_TYPE,
  readManifest,
  type SealedManifest,
  verifySealedLine,
  verifySealedLines,
} from './sealed/sealed-batch.js';
export { type FindKey, type SignedJson, verifyJws } from './jose/verify-jws.js';
