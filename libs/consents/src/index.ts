export * from './call-budget.js';
export * from './consent.js';
export * from './consent-store.js';
export * from './link.js';
export { LocalPeriods } from './local-periods.js';
export * from './store.js';
export * from './subject.js';
export * from './use-consent.js';
