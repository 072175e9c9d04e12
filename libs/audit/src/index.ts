export * from './codes.js';
export * from './fact-runs.js';
export * from './inclusion-proofs.js';
export * from './log-entries.js';
export * from './sealer.js';
export * from './store.js';
export * from './tile-files.js';
