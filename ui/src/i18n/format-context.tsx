import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { createFormatter, type Formatter } from '@/lib/format';
import { currentLanguage, useLanguage } from './i18n';

const FormatContext = createContext<Formatter | null>(null);

interface Props {
  timeZone: string;
  currency: string;
  children: ReactNode;
}

/** Binds numbers, money and times to the language on screen and the workspace's zone and currency. */
export function FormatProvider({ timeZone, currency, children }: Props) {
  const locale = useLanguage();
  const formatter = useMemo(() => createFormatter({ locale, timeZone, currency }), [locale, timeZone, currency]);
  return <FormatContext value={formatter}>{children}</FormatContext>;
}

const fallback = (): Formatter =>
  createFormatter({
    locale: currentLanguage(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    currency: 'CNY',
  });

export function useFormat(): Formatter {
  const formatter = useContext(FormatContext);
  return useMemo(() => formatter ?? fallback(), [formatter]);
}
