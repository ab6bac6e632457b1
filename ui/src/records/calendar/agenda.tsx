import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type Field, type RecordData, type RecordQuery, recordInfiniteQuery } from '@/api';
import type { FieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { Button, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import { cellValue } from '../cell-value';
import css from './calendar.module.css';
import { dayOfValue } from './days';

interface Props {
  object: string;
  field: Field;
  query: RecordQuery;
  counts: ReadonlyMap<string, number>;
  context: FieldContext;
  dayTitle: (day: string) => string;
  render: (record: RecordData) => React.ReactNode;
}

/** The records of a month one after the other, under their days. */
export function Agenda({ object, field, query, counts, context, dayTitle, render }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const answer = useInfiniteQuery(recordInfiniteQuery(object, { ...query, limit: 50 }));
  const records = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const end = useRef<HTMLDivElement>(null);
  const more = useEvent(() => {
    if (answer.hasNextPage && !answer.isFetchingNextPage && !answer.isFetchNextPageError) answer.fetchNextPage();
  });
  useEffect(() => {
    const element = end.current;
    if (element === null || typeof IntersectionObserver === 'undefined') return;
    const observer = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), {
      rootMargin: '500px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [more]);
  const days = new Map<string, RecordData[]>();
  for (const record of records) {
    const day = dayOfValue(cellValue(record, field.key), field, context.fmt.timeZone);
    days.set(day, [...(days.get(day) ?? []), record]);
  }
  if (answer.isError && records.length === 0)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  return (
    <div className={css.agenda}>
      {answer.isPending && <SkeletonRows rows={8} />}
      {answer.isSuccess && records.length === 0 && (
        <EmptyState cause="no_match" title={t('layouts:calendar.none')} text="" />
      )}
      {[...days].map(([day, inside]) => (
        <section key={day} aria-label={dayTitle(day)}>
          <h3 className={css.agendaDay}>
            {dayTitle(day)}
            <span className={css.agendaCount}>{context.fmt.number(counts.get(day) ?? inside.length)}</span>
          </h3>
          <ul className={css.dayList}>
            {inside.map((record) => (
              <li key={record.id}>{render(record)}</li>
            ))}
          </ul>
        </section>
      ))}
      <div ref={end}>
        {answer.isFetchNextPageError && <Button onClick={() => answer.fetchNextPage()}>{t('common:retry')}</Button>}
      </div>
    </div>
  );
}
