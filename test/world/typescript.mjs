// Lets processes that our code starts beside itself run TypeScript where tests run from sources: Vitest compiles for its own process only.
import { register } from 'node:module';

if (process.argv[1]?.endsWith('.ts')) register('./typescript-hooks.mjs', import.meta.url);
