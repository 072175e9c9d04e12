export * from './indicators.js';
export * from './score.js';
export * from './scorecard.js';
export * from './scorecard-2026-1.js';
