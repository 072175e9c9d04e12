export * from './compile.js';
export * from './discount.js';
export * from './document.js';
export * from './evaluate.js';
export * from './store.js';
export * from './terms.js';
export * from './window.js';
