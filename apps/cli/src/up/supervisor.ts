// The detached process of `up`: gets its settings in one message, then reports until everything is open.
import { once } from 'node:events';
import type { Environment } from './installation.js';
import { supervise } from './supervise.js';

const [settled] = (await once(process, 'message')) as [Environment];
await supervise(settled, (word) => {
  process.send?.(word, () => {
    if (!('line' in word) && process.connected) process.disconnect();
  });
});
process.exit();
