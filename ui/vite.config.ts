import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const api = process.env.GUANXI_API ?? 'http://127.0.0.1:8080';

export default defineConfig(({ command }) => ({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    // The component kit (/dev/kit) exists in development and in builds made with GUANXI_KIT=1 only.
    __KIT__: JSON.stringify(command === 'serve' || process.env.GUANXI_KIT === '1'),
  },
  server: { port: 5173, proxy: { '/api': { target: api, changeOrigin: false } } },
  preview: { port: 4173, proxy: { '/api': { target: api, changeOrigin: false } } },
  build: {
    target: 'es2022',
    manifest: true,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    // Lists of what to load ahead cost each visit 4 kB, more than the turn they save: nearly everything stands in one file.
    modulePreload: { polyfill: false, resolveDependencies: (_, deps) => deps.filter((dep) => dep.endsWith('.css')) },
    rolldownOptions: {
      output: {
        // Names stand in the list of what a page loads ahead, which is part of the first visit: they are short.
        entryFileNames: 'assets/g[hash:8].js',
        chunkFileNames: 'assets/g[hash:8].js',
        assetFileNames: 'assets/g[hash:8][extname]',
        // What twenty pages and more share is one file: many small ones compress badly, and each stands in the list of what a page
        // loads ahead. A sign alone is half of it the file around it: those of four pages and more are one file too.
        codeSplitting: {
          groups: [
            { name: 'base', test: /src[\\/]/, minShareCount: 20 },
            { name: 'icons', test: /tabler/, minShareCount: 4 },
          ],
        },
      },
    },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['./src/test-setup.ts'],
    include: ['src/**/*.test.{ts,tsx}', 'tracker/**/*.test.ts'],
    css: false,
    testTimeout: 30_000,
  },
}));
