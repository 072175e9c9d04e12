export * from './canonical.js';
export { rsaModulusBitsMin, type SignatureAlgorithm } from './jose/algorithms.js';
export { decodeBase64Url, encodeBase64Url } from './jose/base64url.js';
export { type JwsHeader, jwsBytesMax } from './jose/compact-jws.js';
export { type JsonWebKey, parsePublicJwk, thumbprint, type VerificationKey, type VerificationKeyState } from './jose/keys.js';
export { createEd25519Signer, type Signer, signJws } from './jose/sign-jws.js';
export { jsonDepthMax, type JsonObject, type JsonValue, parseJsonStrict } from './jose/strict-json.js';
export { mapVerified } from './jose/verified.js';
export { type FindKey, type SignedJson, verifyJws } from './jose/verify-jws.js';
