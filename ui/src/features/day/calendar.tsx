import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type AgendaItem, agendaQuery, isActivity } from '@/api';
import { useFormat, useLanguage, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { addDays, parseDay } from '@/lib/day';
import { isOverdue } from '@/records/work/activity-row';
import { ACTIVITY_SIGNS } from '@/records/work/signs';
import { isDone } from '@/records/work/use-complete';
import { usePeek, useShortcuts } from '@/shell';
import { Button, ErrorState, IconButton } from '@/ui';
import css from './calendar.module.css';
import { useDaySearch } from './day-search';
import { monthOf, stepOf, weekOf } from './spans';

function Item({ item }: { item: AgendaItem }) {
  const { open } = usePeek();
  const fmt = useFormat();
  const { record } = item;
  const Sign = isActivity(record.object) ? ACTIVITY_SIGNS[record.object] : ACTIVITY_SIGNS.task;
  const clock = record.fields.all_day === true || item.at === null ? '' : fmt.time(item.at);
  return (
    <button
      type="button"
      className={css.item}
      data-object={record.object}
      data-done={isDone(record) || undefined}
      data-late={isOverdue(record, fmt) || undefined}
      title={[clock, record.title].filter(Boolean).join(' ')}
      onClick={() => open({ object: record.object, id: record.id })}
    >
      <Sign size={12} stroke={1.8} aria-hidden />
      {clock !== '' && <span className={css.clock}>{clock}</span>}
      <span className={css.name}>{record.title}</span>
    </button>
  );
}

const SHOWN = 4;

/** A week or a month of what I have to do. On a phone days stand below one another. */
export function Calendar({ view }: { view: 'week' | 'month' }) {
  const { t } = useTranslation(['work', 'shell', 'mine']);
  const fmt = useFormat();
  const language = useLanguage();
  const go = useDaySearch();
  const search = useSearch({ strict: false }) as { at?: string };
  const today = fmt.today();
  const at = parseDay(search.at ?? '') ?? today;
  const days = view === 'week' ? weekOf(at) : monthOf(at);
  const last = days.at(-1) ?? at;
  const answer = useQuery(agendaQuery(days[0] ?? at, addDays(last, 1)));
  const move = (by: number) => go({ at: stepOf(at, view, by) });
  useShortcuts([
    { keys: 'j', label: t('mine:day.next'), group: t('shell:shortcuts.list'), run: () => move(1) },
    { keys: 'k', label: t('mine:day.previous'), group: t('shell:shortcuts.list'), run: () => move(-1) },
    { keys: 't', label: t('work:today'), group: t('shell:shortcuts.list'), run: () => go({ at: undefined }) },
  ]);
  const names = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' });
  const items = answer.data?.items ?? [];
  const byDay = new Map(days.map((day) => [day, items.filter((item) => item.day === day)]));
  const title = view === 'month' ? fmt.month(at) : `${fmt.date(days[0] ?? at)} \u2013 ${fmt.date(last)}`;
  return (
    <div className={css.calendar}>
      <div className={css.bar}>
        <IconButton label={t('mine:day.previous')} icon={<IconChevronLeft size={17} />} onClick={() => move(-1)} />
        <IconButton label={t('mine:day.next')} icon={<IconChevronRight size={17} />} onClick={() => move(1)} />
        <h2 className={css.title}>{title}</h2>
        <Button onClick={() => go({ at: undefined })}>{t('work:today')}</Button>
      </div>
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />}
      <ol className={css.days} data-view={view} aria-busy={answer.isPending} aria-label={title}>
        {days.map((day) => {
          const mine = byDay.get(day) ?? [];
          const more = view === 'month' ? mine.length - SHOWN : 0;
          return (
            <li
              key={day}
              className={cx(css.day, day === today && css.current, day.slice(0, 7) !== at.slice(0, 7) && css.other)}
              data-empty={mine.length === 0 || undefined}
            >
              <div className={css.date}>
                <span className={css.weekday}>{names.format(new Date(`${day}T00:00:00Z`))}</span>
                <time dateTime={day} className={css.number}>
                  {Number(day.slice(8))}
                </time>
              </div>
              {mine.slice(0, more > 0 ? SHOWN - 1 : mine.length).map((item) => (
                <Item key={item.record.id} item={item} />
              ))}
              {more > 0 && (
                <button type="button" className={css.more} onClick={() => go({ view: 'week', at: day })}>
                  {t('mine:day.more', { count: more + 1 })}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
