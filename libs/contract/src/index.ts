export * from './decision.js';
export * from './decision-linked.js';
export * from './credit-record.js';
export * from './event.js';
export * from './performance.js';
export * from './problem.js';
export * from './strict-parse.js';
export * from './subject.js';
