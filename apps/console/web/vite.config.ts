import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const source = (file: string): string => fileURLToPath(new URL(`../../../libs/${file}`, import.meta.url));

/** `npx vite build apps/console/web` writes `dist/`, which apps/console serves; `npx vite apps/console/web` develops against a running console. */
export default defineConfig({
  plugins: [react()],
  // Verifying needs the browser's half of the libraries, from their sources: whoever builds the page need not have compiled them.
  resolve: { alias: { '#kernel': source('kernel/src/index.ts'), '#evidence/verifier': source('evidence/src/verifier.ts') } },
  // Everything is a file of its own: the page's policy allows no inline script and no foreign host.
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900 },
  server: { proxy: { '/api': 'http://localhost:7090' } },
});
