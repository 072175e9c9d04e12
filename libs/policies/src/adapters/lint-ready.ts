/** The first word of the process that lints: it has begun, and waits for a document. */
export const READY = 'ready';
