import { useEffect, useState } from 'react';
import type { TimelineAsk } from '@/api';
import { useTranslation } from '@/i18n';
import { DateRangePicker, SearchInput } from '@/ui';
import css from './behaviour.module.css';

const TYPING = 250;

/** Narrows a timeline to words and to a span of days. */
export function TimelineFinder({ onFind }: { onFind: (ask: TimelineAsk) => void }) {
  const { t } = useTranslation('profile');
  const [words, setWords] = useState('');
  const [span, setSpan] = useState<[string | null, string | null]>([null, null]);
  const [from, to] = span;
  useEffect(() => {
    const q = words.trim();
    const timer = setTimeout(
      () => onFind({ ...(q !== '' && { q }), ...(from !== null && { from }), ...(to !== null && { to }) }),
      TYPING,
    );
    return () => clearTimeout(timer);
  }, [words, from, to, onFind]);
  return (
    <div className={css.find}>
      <SearchInput
        aria-label={t('profile:find.search')}
        placeholder={t('profile:find.search')}
        value={words}
        onChange={setWords}
        autoFocus
      />
      <DateRangePicker
        aria-label={t('profile:find.span')}
        placeholder={t('profile:find.span')}
        value={span}
        onChange={setSpan}
        clearable
      />
    </div>
  );
}
