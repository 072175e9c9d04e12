export * from './accept-record.js';
export * from './check-record.js';
export * from './identity.js';
export * from './record.js';
export * from './store.js';
