import { useMemo } from 'react';
import { useFormat, useLanguage, useTranslation } from '@/i18n';
import type { FieldContext } from './kind';

/** Language, formats and words for FieldKind.display and text. Call it once per list, page or form. */
export function useFieldContext(): FieldContext {
  const fmt = useFormat();
  const language = useLanguage();
  const { t } = useTranslation(['fields', 'common']);
  return useMemo(() => ({ fmt, language, t: (key, values) => t(key, values ?? {}) as string }), [fmt, language, t]);
}
