export { UnverifiedAnswerError } from './answer-verifier.js';
export * from './bank-client.js';
export type { BodySource, GatewayBody } from './gateway-body.js';
export * from './gateway-client.js';
export * from './problem-error.js';
export * from './record-signer.js';
