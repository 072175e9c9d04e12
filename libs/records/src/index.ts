export * from './accept-record.js';
export * from './batch/batch.js';
export { ReceiveBatch, type SpooledBatch } from './batch/receive-batch.js';
export { type BatchReport, linesPerStepMax, type LineTaker, recordBytesMax, RunBatch } from './batch/run-batch.js';
export type { TextLine } from './batch/split-lines.js';
export * from './check-record.js';
export * from './identity.js';
export * from './record.js';
export * from './store.js';
