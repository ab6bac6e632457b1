import i18next, { type BackendModule, type FormatterModule } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { storage } from '@/lib/storage';
import { createStore, useStore } from '@/lib/store';

export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Language names in their own language; the picker shows these, whatever language is on. */
export const LANGUAGE_NAMES: Record<Language, string> = { 'zh-CN': '中文', en: 'English' };

type Words = { default: Record<string, unknown> };
// A build has them under an address that is known (vite.config.ts); the file that this stands in is beside their folder.
const files = import.meta.env.PROD ? undefined : import.meta.glob<Words>(['./zh-CN/*.json', './en/*.json']);
const wordsOf = (language: string, namespace: string): Promise<Words> =>
  files === undefined
    ? import(/* @vite-ignore */ `./${__WORDS__}/${language}.${namespace}.js`)
    : (files[`./${language}/${namespace}.json`]?.() ?? Promise.reject(new Error(`no words ${language}/${namespace}`)));

const lazyFiles: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read(language, namespace, done) {
    wordsOf(language, namespace).then(
      (module) => done(null, module.default),
      (error: Error) => done(error, null),
    );
  },
};

const numbers = new Map<string, Intl.NumberFormat>();
/** A number inside a sentence is written as the language writes numbers, without each sentence asking for it. */
const numberWords: FormatterModule = {
  type: 'formatter',
  init: () => undefined,
  add: () => undefined,
  addCached: () => undefined,
  format(value, _, language = 'en') {
    if (typeof value !== 'number') return value;
    const known = numbers.get(language) ?? new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
    numbers.set(language, known);
    return known.format(value);
  },
};

function initialLanguage(): Language {
  const kept = storage.getText('lang');
  if (kept !== null) return kept === 'en' ? 'en' : 'zh-CN';
  return document.documentElement.lang === 'en' ? 'en' : 'zh-CN';
}

const languageStore = createStore<Language>(initialLanguage());

export function startI18n(namespaces: string[] = ['common', 'shell']): Promise<unknown> {
  return i18next
    .use(lazyFiles)
    .use(numberWords)
    .use(initReactI18next)
    .init({
      lng: languageStore.get(),
      fallbackLng: false,
      supportedLngs: [...LANGUAGES],
      ns: namespaces,
      defaultNS: 'common',
      partialBundledLanguages: true,
      interpolation: { escapeValue: false, alwaysFormat: true },
      returnNull: false,
      react: { useSuspense: true },
    });
}

/** Loads the words of a route before it shows. */
export async function loadWords(...namespaces: string[]): Promise<void> {
  await i18next.loadNamespaces(namespaces);
}

export async function setLanguage(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  storage.setText('lang', language);
  languageStore.set(language);
}

export const currentLanguage = (): Language => languageStore.get();
export const useLanguage = (): Language => useStore(languageStore);
