import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const api = process.env.GUANXI_API ?? 'http://127.0.0.1:8080';

/* Each file of words is an own entry with an address that is known before it is built: the program asks for it by language and name, and
   no list of a hundred files stands in the first visit. The folder is named by what is in all of them. */
const wordFiles = ['zh-CN', 'en'].flatMap((language) =>
  fs
    .readdirSync(`src/i18n/${language}`)
    .sort()
    .map((name) => `src/i18n/${language}/${name}`),
);
const wordHash = createHash('sha256');
for (const file of wordFiles) wordHash.update(file).update(fs.readFileSync(file));
const wordFolder = wordHash.digest('hex').slice(0, 8);
const wordEntry = (file: string) => file.replace(/^src\/i18n\/(.*)\/(.*)\.json$/, 'words/$1.$2');

/* Small modules of the frame and of nearly every record: as files of their own they would be half wrapping. */
const SMALL =
  /src[\\/](api[\\/](talk|work|work-later|upload|files|stage-gate|profile|formulas|figures|jobs|duplicates)|ui[\\/](menu|avatar|tabs|progress|kbd)|metadata[\\/]traits|fields[\\/]context|records[\\/](cell-value|title))\.tsx?$/;

export default defineConfig(({ command }) => ({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    // The component kit (/dev/kit) exists in development and in builds made with GUANXI_KIT=1 only.
    __WORDS__: JSON.stringify(command === 'build' ? wordFolder : ''),
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
      input: { index: 'index.html', ...Object.fromEntries(wordFiles.map((file) => [wordEntry(file), file])) },
      preserveEntrySignatures: 'exports-only',
      output: {
        // Names stand in the list of what a page loads ahead, which is part of the first visit: they are short.
        entryFileNames: ({ name }) =>
          name.startsWith('words/') ? `assets/${wordFolder}/${name.slice(6)}.js` : 'assets/g[hash:7].js',
        chunkFileNames: 'assets/g[hash:7].js',
        assetFileNames: 'assets/g[hash:7][extname]',
        // What forty pages and more share is one file: many small ones compress badly, and each stands in the list of what a page
        // loads ahead. A sign alone is half of it the file around it: those of four pages and more are one file too.
        codeSplitting: {
          groups: [
            { name: 'base', test: /src[\\/]/, minShareCount: 40 },
            { name: 'small', test: SMALL, minShareCount: 2 },
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
