import { lintPolicy } from '../lint/lint-policy.js';

process.once('message', (text: string) => process.send!(lintPolicy(text)));
// Whoever asked is gone, or has its answer.
process.once('disconnect', () => process.exit());
