import { useMemo } from 'react';
import { useRegionTree } from '@/fields';
import { useFormat, useLanguage, useTranslation } from '@/i18n';

/** Values of these dimensions are names of the program's own; those of others are shown as they came. */
const NAMED: Record<string, readonly string[]> = {
  channel: ['direct', 'search', 'social', 'ads', 'email', 'referral', 'campaign', 'internal'],
  device: ['desktop', 'mobile', 'tablet', 'tv', 'other'],
};

/** Codes of countries and languages in words; what is no code stays as it is. */
function named(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

/** How the value of a dimension is called. */
export function useValueName(): (dimension: string, value: string) => string {
  const { t } = useTranslation('web');
  const language = useLanguage();
  const regions = useRegionTree();
  const countries = useMemo(() => new Intl.DisplayNames([language], { type: 'region' }), [language]);
  const languages = useMemo(() => new Intl.DisplayNames([language], { type: 'language' }), [language]);
  return (dimension, value) => {
    if (value === '') return t('web:unknown');
    if (dimension === 'country') return named(countries, value);
    if (dimension === 'language') return named(languages, value);
    if (dimension === 'region') return regions.name(value);
    return NAMED[dimension]?.includes(value) === true ? t(`web:value.${dimension}.${value}`) : value;
  };
}

export interface WebNumbers {
  number: (value: number) => string;
  share: (part: number, whole: number, digits?: number) => string;
  seconds: (value: number | null) => string;
}
const NONE = '\u2013';

/** Figures as every table of this feature writes them. */
export function useNumbers(): WebNumbers {
  const fmt = useFormat();
  return {
    number: (value) => fmt.number(value),
    share: (part, whole, digits = 1) => (whole === 0 ? NONE : fmt.percent(part / whole, digits)),
    seconds: (value) => (value === null ? NONE : fmt.duration(value === 0 ? 0 : Math.max(1, Math.round(value)))),
  };
}
