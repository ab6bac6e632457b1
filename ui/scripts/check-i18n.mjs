// Every language has the same keys, and every key that code names literally exists. Form: t('namespace:path.key').
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve('src/i18n');
const SOURCE = 'zh-CN';
const languages = fs
  .readdirSync(root, { withFileTypes: true })
  .filter((d) => d.isDirectory())
  .map((d) => d.name);
const problems = [];

const PLURAL = /_(zero|one|two|few|many|other)$/;
const flatten = (value, prefix = '') =>
  Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' ? flatten(inner, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
const keysOf = (language) => {
  const keys = new Set();
  for (const file of fs.readdirSync(path.join(root, language))) {
    const namespace = path.basename(file, '.json');
    const words = JSON.parse(fs.readFileSync(path.join(root, language, file), 'utf8'));
    for (const key of flatten(words)) keys.add(`${namespace}:${key.replace(PLURAL, '')}`);
  }
  return keys;
};

const source = keysOf(SOURCE);
for (const language of languages.filter((name) => name !== SOURCE)) {
  const other = keysOf(language);
  for (const key of source) if (!other.has(key)) problems.push(`${language}: missing ${key}`);
  for (const key of other) if (!source.has(key)) problems.push(`${SOURCE}: missing ${key}`);
}

for (const entry of fs.readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.tsx?$/.test(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue;
  const file = path.join(entry.parentPath, entry.name);
  const text = fs.readFileSync(file, 'utf8');
  for (const [, key] of text.matchAll(/'((?:common|[a-z]+):[a-zA-Z0-9_.]+)'/g)) {
    if (!fs.existsSync(path.join(root, SOURCE, `${key.split(':')[0]}.json`))) continue;
    if (!source.has(key.replace(PLURAL, ''))) problems.push(`${file}: unknown words ${key}`);
  }
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? `i18n: ok, ${source.size} keys` : `i18n: ${problems.length} problems`);
if (problems.length > 0) process.exit(1);
