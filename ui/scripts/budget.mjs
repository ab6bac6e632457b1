// Fails when the shell (index.html's entry, everything it imports statically, and its styles) grows past its budget.
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const SHELL_BUDGET = 190 * 1024;
const manifest = JSON.parse(fs.readFileSync('dist/.vite/manifest.json', 'utf8'));
const size = (file) => gzipSync(fs.readFileSync(path.join('dist', file)), { level: 9 }).length;

const seen = new Set();
const walk = (key, files) => {
  if (seen.has(key)) return files;
  seen.add(key);
  const chunk = manifest[key];
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) walk(next, files);
  return files;
};

const shell = walk('index.html', new Set());
// The signed-in frame is a lazy chunk of its own, and the words of one language come with it.
for (const key of Object.keys(manifest)) {
  if (/src\/shell\/app-frame\.tsx$/.test(key) || /src\/i18n\/zh-CN\/(common|shell)\.json$/.test(key)) walk(key, shell);
}
let total = 0;
const rows = [...shell].map((file) => [file, size(file)]).sort((a, b) => b[1] - a[1]);
for (const [file, bytes] of rows) {
  total += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(8)} kB  shell, gz (budget ${SHELL_BUDGET / 1024} kB)`);
if (total > SHELL_BUDGET) process.exit(1);
