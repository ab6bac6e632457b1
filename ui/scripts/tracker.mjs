// Builds dist/t.js, the script that websites load, and dist/m.js, which it loads where there are messages: files without imports, small enough to be no burden.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const LIMITS = { 't.js': 5 * 1024, 'm.js': 4 * 1024 };
const folder = path.resolve('tracker');
const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8'));

for (const [file, entry] of [
  ['t.js', 'index.ts'],
  ['m.js', 'messages.ts'],
]) {
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
      lib: { entry: path.join(folder, entry), formats: ['iife'], name: 'guanxiTracker', fileName: () => file },
    },
  });
  const body = fs.readFileSync(path.resolve('dist', file));
  const size = gzipSync(body, { level: 9 }).length;
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 8);
  console.log(`${file === 't.js' ? 'tracker' : 'messages'} ${hash}: ${size} bytes gz (budget ${LIMITS[file]})`);
  if (size > LIMITS[file]) process.exit(1);
}
