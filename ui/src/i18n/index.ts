export { default as i18next } from 'i18next';
export { useTranslation } from 'react-i18next';
export { FormatProvider, useFormat } from './format-context';
export {
  currentLanguage,
  LANGUAGE_NAMES,
  LANGUAGES,
  type Language,
  loadWords,
  setLanguage,
  startI18n,
  useLanguage,
} from './i18n';
export { type Label, labelText, useLabel } from './label';
export { type QuickAdd, readQuickAdd } from './quick-add';
