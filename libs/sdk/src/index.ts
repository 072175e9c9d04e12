export * from './bank-client.js';
export * from './problem-error.js';
export * from './record-signer.js';
