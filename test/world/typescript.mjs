// Lets processes and threads that our code starts run TypeScript where tests run from sources: Vitest compiles for its own process only.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (process.argv[1]?.endsWith('.ts')) register('./typescript-hooks.mjs', import.meta.url, { data: { isMainThread } });
