// House rules that a linter cannot say: file length, no Chinese in code outside i18n, and imports that only go down.
import fs from 'node:fs';
import path from 'node:path';

const LAYERS = ['lib', 'theme', 'i18n', 'ui', 'api', 'metadata', 'fields', 'records', 'shell', 'features', 'app'];
const MAX_LINES = 400;
const CJK = /[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]/;
const problems = [];

const layerOf = (file) => LAYERS.indexOf(path.relative('src', file).split(path.sep)[0]);

const strip = (text) =>
  text.replace(/\/\*[\s\S]*?\*\//g, (all) => all.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/.*$/gm, '$1');

for (const entry of fs.readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(ts|tsx|css)$/.test(entry.name)) continue;
  const file = path.join(entry.parentPath, entry.name);
  const text = fs.readFileSync(file, 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines, at most ${MAX_LINES}`);
  if (/\.css$/.test(entry.name)) continue;
  const test = /\.test\.tsx?$/.test(entry.name);
  if (!test && !file.startsWith(path.join('src', 'i18n'))) {
    strip(text)
      .split('\n')
      .forEach((line, at) => {
        if (CJK.test(line)) problems.push(`${file}:${at + 1}: words belong into i18n: ${line.trim().slice(0, 60)}`);
      });
  }
  const layer = layerOf(file);
  if (layer < 0 || test) continue;
  for (const [, spec] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    let target = null;
    if (spec.startsWith('@/')) target = path.join('src', spec.slice(2));
    else if (spec.startsWith('.')) target = path.normalize(path.join(path.dirname(file), spec));
    if (target === null) continue;
    const other = layerOf(target);
    if (other > layer) problems.push(`${file}: ${LAYERS[layer]} may not import ${spec}`);
    const [, , feature] = file.split(path.sep);
    if (LAYERS[layer] === 'features' && other === layer && target.split(path.sep)[2] !== feature)
      problems.push(`${file}: features do not import each other (${spec})`);
  }
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'source rules: ok' : `source rules: ${problems.length} problems`);
if (problems.length > 0) process.exit(1);
