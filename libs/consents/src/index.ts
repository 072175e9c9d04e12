export * from './link.js';
export * from './store.js';
export * from './subject.js';
