import { lintPolicy } from '../lint/lint-policy.js';
import { READY } from './lint-ready.js';

process.once('message', (text: string) => process.send!(lintPolicy(text)));
// Whoever asked is gone, or has its answer.
process.once('disconnect', () => process.exit());
// What it takes from now on is the document's, not the machine's.
process.send!(READY);
