import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `npx vite build apps/console/web` writes `dist/`, which apps/console serves; `npx vite apps/console/web` develops against a running console. */
export default defineConfig({
  plugins: [react()],
  // Everything is a file of its own: the page's policy allows no inline script and no foreign host.
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900 },
  server: { proxy: { '/api': 'http://localhost:7090' } },
});
