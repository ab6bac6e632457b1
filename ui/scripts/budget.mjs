// Fails when a first visit loads more than it may: the shell (index.html's entry, the signed-in frame, its words) and the
// routes people land on, each with all the JavaScript and styles it needs before it can be used, gzipped.
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const LANGUAGE = 'zh-CN';
const words = (...namespaces) => namespaces.map((name) => `src/i18n/${LANGUAGE}/${name}.json`);

const SHELL = ['index.html', 'src/shell/app-frame.tsx', ...words('common', 'shell', 'fields')];
/** What a visit loads: its page, its words, and the lazy parts that are on the first screen. Limits in kB. */
const VISITS = [
  { name: 'shell', limit: 175, parts: [] },
  { name: 'home', limit: 200, parts: ['src/features/home/home-page.tsx', ...words('home')] },
  {
    name: 'list',
    limit: 210,
    parts: ['src/features/objects/list-page.tsx', 'src/records/grid/grid.tsx', ...words('records', 'views')],
  },
  {
    name: 'list on a phone',
    limit: 210,
    parts: ['src/features/objects/list-page.tsx', 'src/records/list/cards.tsx', ...words('records')],
  },
  {
    name: 'customer',
    limit: 210,
    parts: [
      'src/app/record-route.tsx',
      'src/features/customers/customer-page.tsx',
      'src/records/actions/next-card.tsx',
      'src/records/consent/pills.tsx',
      ...words('records', 'customers', 'next', 'work', 'files'),
    ],
  },
  {
    name: 'record',
    limit: 210,
    parts: ['src/app/record-route.tsx', 'src/features/objects/record-page.tsx', ...words('records', 'customers')],
  },
  {
    name: 'segment',
    limit: 300,
    parts: [
      'src/features/segments/segment-new-page.tsx',
      'src/ui/select-impl.tsx',
      'src/ui/number-input-impl.tsx',
      ...words('segments', 'conditions'),
    ],
  },
  { name: 'import', limit: 200, parts: ['src/features/imports/import-new-page.tsx', ...words('imports')] },
];

const manifest = JSON.parse(fs.readFileSync('dist/.vite/manifest.json', 'utf8'));
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(fs.readFileSync(path.join('dist', file)), { level: 9 }).length);
  return sizes.get(file);
};

function filesOf(keys) {
  const seen = new Set();
  const files = new Set();
  const walk = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`${key} is no file of the build: the list in this script is out of date`);
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const next of chunk.imports ?? []) walk(next);
  };
  for (const key of keys) walk(key);
  return [...files];
}

const kB = (bytes) => `${(bytes / 1024).toFixed(1).padStart(8)} kB`;
let over = 0;
for (const { name, limit, parts } of VISITS) {
  const files = filesOf([...SHELL, ...parts]);
  const total = files.reduce((sum, file) => sum + size(file), 0);
  const bad = total > limit * 1024;
  console.log(`${kB(total)}  ${name}, gz (budget ${limit} kB)${bad ? '  TOO MUCH' : ''}`);
  if (!bad && !process.argv.includes('--files')) continue;
  over += bad ? 1 : 0;
  for (const file of files.sort((a, b) => size(b) - size(a)).slice(0, 25))
    console.log(`          ${kB(size(file))}  ${file}`);
}
if (over > 0) process.exit(1);
