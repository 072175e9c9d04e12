export * from './config.js';
export * from './correlation.js';
export * from './database.js';
export * from './facts.js';
export * from './logging.js';
export * from './migrate.js';
