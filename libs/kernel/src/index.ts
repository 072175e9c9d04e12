export * from './clock.js';
export * from './currencies.js';
export * from './fact.js';
export * from './ids.js';
export * from './money.js';
export * from './refusal.js';
export * from './shard.js';
export * from './verified.js';
