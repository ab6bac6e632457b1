import { currentLanguage, type Language, useLanguage } from './i18n';

/** A text in several languages, as the server sends it (type L of the contract). */
export type Label = Partial<Record<string, string>>;

/** The label in the wanted language, else in any language that has one, else the fallback. */
export function labelText(
  label: Label | string | null | undefined,
  language: Language = currentLanguage(),
  fallback = '',
): string {
  if (label === null || label === undefined) return fallback;
  if (typeof label === 'string') return label;
  return label[language] ?? label['zh-CN'] ?? label.en ?? Object.values(label).find(Boolean) ?? fallback;
}

/** labelText bound to the language on screen; re-renders when it changes. */
export function useLabel(): (label: Label | string | null | undefined, fallback?: string) => string {
  const language = useLanguage();
  return (label, fallback) => labelText(label, language, fallback);
}
