import { useQuery } from '@tanstack/react-query';
import { figuresQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';
import { EmptyState, ErrorState, Panel, SkeletonRows } from '@/ui';
import { StackedArea, Swatch } from '@/ui/chart';
import type { Ask, Step } from './ask';
import css from './feedback.module.css';
import { FEELINGS, moods, NO_MOOD } from './figures';
import { useFeedbackNames } from './words';

/** The first days of all spans from one day to another, also of those in which nothing was said. */
function spansBetween(from: string, to: string, step: Step): string[] {
  const firstOfMonth = (day: string) => `${day.slice(0, 8)}01`;
  const begin = {
    day: from,
    week: addDays(from, -((new Date(`${from}T00:00:00Z`).getUTCDay() + 6) % 7)),
    month: firstOfMonth(from),
  };
  const out: string[] = [];
  for (let at = begin[step]; at <= to; ) {
    out.push(at);
    at = step === 'month' ? firstOfMonth(addDays(at, 31)) : addDays(at, step === 'week' ? 7 : 1);
  }
  return out;
}

/** Praise and complaints over time. */
export function Course({ ask }: { ask: Ask }) {
  const { t } = useTranslation('feedback');
  const fmt = useFormat();
  const { name, color } = useFeedbackNames();
  const group_by = [{ field: 'said_at', by: ask.step }, { field: 'sentiment' }];
  const answer = useQuery(figuresQuery('feedback', { where: ask.where(), group_by, limit: 1000 }));
  const found = new Map(answer.data === undefined ? [] : moods(answer.data).map((row) => [row.key, row.mood]));
  const spans = spansBetween(ask.from, ask.to, ask.step);
  const title = (day: string) => {
    if (ask.step === 'month') return fmt.month(day);
    return ask.step === 'day' ? fmt.date(day) : `${fmt.date(day)} \u2013 ${fmt.date(addDays(day, 6))}`;
  };
  return (
    <Panel title={t(`feedback:course.${ask.step}`)}>
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={4} />}
      {answer.data !== undefined && spans.length === 0 && <EmptyState compact cause="no_match" />}
      {answer.data !== undefined && (
        <>
          <StackedArea
            label={t('feedback:course.label')}
            format={(value) => fmt.number(Math.round(value))}
            titles={spans.map(title)}
            shorts={spans.map((day) => (ask.step === 'month' ? fmt.month(day) : fmt.shortDate(day)))}
            layers={FEELINGS.toReversed().map((key) => ({
              key,
              label: name('sentiment', key),
              color: color('sentiment', key),
              values: spans.map((day) => (found.get(day) ?? NO_MOOD)[key]),
            }))}
          />
          <div className={css.legend}>
            {FEELINGS.map((key) => (
              <Swatch key={key} color={color('sentiment', key)}>
                {name('sentiment', key)}
              </Swatch>
            ))}
          </div>
        </>
      )}
    </Panel>
  );
}
