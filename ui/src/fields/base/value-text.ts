import type { Field, Money, Option, Ref } from '@/api';
import { labelText } from '@/i18n';
import type { FieldContext } from '../kind';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isMoney = (value: unknown): value is Money => isObject(value) && 'amount' in value;
export const isRef = (value: unknown): value is Ref => isObject(value) && typeof value.id === 'string';

export const asText = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
export const asList = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value;
  return value === null || value === undefined || value === '' ? [] : [value];
};

/** The option a value names. Traits send {"key","label"} where fields send the key alone. */
export function optionOf(value: unknown, field: Field): Option | null {
  if (isObject(value) && typeof value.key === 'string') {
    const known = field.options?.find((option) => option.key === value.key);
    return known ?? { key: value.key, label: (value.label ?? value.key) as Option['label'] };
  }
  const key = asText(value);
  if (key === '') return null;
  return field.options?.find((option) => option.key === key) ?? { key, label: { 'zh-CN': key, en: key } };
}

/** The options to choose from: an archived one only where it is the value already. */
export const offered = (field: Field, held: readonly unknown[]): Option[] =>
  (field.options ?? []).filter((option) => option.archived !== true || held.includes(option.key));

export const optionText = (option: Option | null, context: FieldContext): string =>
  option === null ? '' : labelText(option.label, context.language, option.key);

/** Finds an option by its key or by its label in any language. */
export function findOption(text: string, field: Field): Option | undefined {
  const wanted = text.trim().toLowerCase();
  return field.options?.find(
    (option) =>
      option.key.toLowerCase() === wanted ||
      Object.values(option.label).some((label) => label?.toLowerCase() === wanted),
  );
}

const BREAKS = /[,\uff0c\u3001;\uff1b\n]+/;
export const splitList = (text: string): string[] =>
  text
    .split(BREAKS)
    .map((part) => part.trim())
    .filter(Boolean);

/** Digits with grouping and currency signs taken away: "¥1,286.50" is "1286.50". Null when it is no number. */
export function plainNumber(text: string): string | null {
  const bare = text
    .replace(/[\s,\uff0c]/g, '')
    .replace(/^[^\d.+-]+/, '')
    .replace(/[^\d.]+$/, '');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(bare) ? bare.replace(/^\+/, '') : null;
}
