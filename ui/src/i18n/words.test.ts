import { expect, it } from 'vitest';

const files = import.meta.glob<{ default: Record<string, unknown> }>(['./zh-CN/*.json', './en/*.json'], {
  eager: true,
});

function keys(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null
      ? keys(inner, `${prefix}${key}.`)
      : [`${prefix}${key.replace(/_(zero|one|two|few|many|other)$/, '')}`],
  );
}
const names = [...new Set(Object.keys(files).map((file) => file.split('/')[2] ?? ''))];

it.each(names)('%s has the same keys in both languages', (name) => {
  const of = (language: string) => [...new Set(keys(files[`./${language}/${name}`]?.default ?? {}))].sort();
  expect(of('en')).toEqual(of('zh-CN'));
});

it.each(names)('%s uses the same placeholders in both languages', (name) => {
  const flat = (value: object, prefix = ''): [string, string][] =>
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === 'object' && inner !== null
        ? flat(inner, `${prefix}${key}.`)
        : [[`${prefix}${key}`, String(inner)]],
    );
  const marks = (text: string) => [...new Set(text.match(/\{\{\s*\w+/g) ?? [])].sort().join();
  const zh = new Map(flat(files[`./zh-CN/${name}`]?.default ?? {}));
  for (const [key, text] of flat(files[`./en/${name}`]?.default ?? {})) {
    const other = zh.get(key) ?? zh.get(key.replace(/_one$/, '_other'));
    if (other !== undefined && !key.endsWith('_one')) expect(`${key} ${marks(text)}`).toBe(`${key} ${marks(other)}`);
  }
});
