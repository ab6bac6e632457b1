// Builds dist/t.js, the script that websites load: one file without imports, small enough to be no burden on them.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const LIMIT = 5 * 1024;
const folder = path.resolve('tracker');
const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8'));

await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  define: { __TRACKER_VERSION__: JSON.stringify(version) },
  build: {
    target: 'es2022',
    outDir: path.resolve('dist'),
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: path.join(folder, 'index.ts'), formats: ['iife'], name: 'guanxiTracker', fileName: () => 't.js' },
  },
});

const body = fs.readFileSync(path.resolve('dist/t.js'));
const size = gzipSync(body, { level: 9 }).length;
const hash = createHash('sha256').update(body).digest('hex').slice(0, 8);
console.log(`tracker ${hash}: ${size} bytes gz (budget ${LIMIT})`);
if (size > LIMIT) process.exit(1);
