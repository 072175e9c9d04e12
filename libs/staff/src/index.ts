export * from './account.js';
export * from './codes.js';
export * from './role.js';
export * from './session.js';
export * from './sign-in-brake.js';
export * from './staff-door.js';
export * from './staff-facts.js';
export * from './store.js';
