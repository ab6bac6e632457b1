// Writes dist/sw.js: worker/sw.js with the files that the program needs to open without a connection. Those are the
// frame, my day, the pages of records, what writes activities, and the words of all of them in each language.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 700;
const LANGUAGES = ['zh-CN', 'en'];
const WORDS = [
  'auth',
  'common',
  'shell',
  'fields',
  'work',
  'mine',
  'records',
  'customers',
  'files',
  'offline',
  'palette',
];
const PAGES = [
  'index.html',
  'src/shell/app-frame.tsx',
  'src/shell/account-menu.tsx',
  'src/shell/palette/palette.tsx',
  'src/shell/offline-banner.tsx',
  'src/shell/offline-strip.tsx',
  'src/shell/offline-start.ts',
  'src/app/not-here.tsx',
  'src/features/auth/sign-in-page.tsx',
  'src/features/day/day-page.tsx',
  'src/app/record-route.tsx',
  'src/features/customers/customer-page.tsx',
  'src/features/customers/traits-panel.tsx',
  'src/features/objects/record-page.tsx',
  'src/records/peek/record-peek.tsx',
  'src/records/offline/outbox-drawer.tsx',
];
/** Parts that those pages load later: all of them in these folders. */
const LATER = /^src\/(fields|ui|api|records\/(work|files|talk|edit|offline|page|duplicates\/lazy))/;
/** Large, and of no use without a connection. */
const NEVER = /^src\/(ui\/chart|ui\/cascader|fields\/region|records\/page\/(related|history))/;

const dist = path.resolve('dist');
const manifest = JSON.parse(fs.readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8'));
const files = new Set();
const seen = new Set();
function take(key) {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`${key} is no file of the build: the list in this script is out of date`);
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(`/${file}`);
  for (const next of chunk.imports ?? []) take(next);
  for (const next of chunk.dynamicImports ?? []) if (LATER.test(next) && !NEVER.test(next)) take(next);
}
for (const page of PAGES) take(page);
for (const language of LANGUAGES) for (const name of WORDS) take(`src/i18n/${language}/${name}.json`);
// The page itself is named by its address; entry chunks stand in the manifest under its name.
files.delete('/index.html');
const plain = ['/index.html', '/boot.js', '/favicon.svg', '/icons/icon-192.png'];
for (const name of fs.readdirSync(dist)) if (name.endsWith('.webmanifest')) plain.push(`/${name}`);
const list = [...plain, ...[...files].sort()];

const read = (file) => fs.readFileSync(path.join(dist, file));
const hash = createHash('sha256');
let bytes = 0;
for (const file of list) {
  const body = read(file);
  hash.update(file).update(body);
  bytes += gzipSync(body).length;
}
const source = fs.readFileSync(path.resolve('worker/sw.js'), 'utf8');
hash.update(source);
const version = hash.digest('hex').slice(0, 12);
fs.writeFileSync(
  path.join(dist, 'sw.js'),
  source.replace('__VERSION__', version).replace('__FILES__', JSON.stringify(list)),
);
const kb = bytes / 1024;
console.log(`worker ${version}: ${list.length} files, ${kb.toFixed(0)} kB gz (budget ${LIMIT_KB} kB)`);
if (kb > LIMIT_KB) process.exit(1);
