import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { figuresQuery, type Ref } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Button, ErrorState, Panel, SkeletonRows, Table } from '@/ui';
import { Barred } from '@/ui/figures';
import type { Ask, Narrow } from './ask';
import css from './feedback.module.css';
import { type Mood, moods, sum } from './figures';
import { useFeedbackNames } from './words';

const SHOWN = 10;
interface Row {
  key: string;
  title: string;
  mood: Mood;
}

/** Where it is said: by which way, about which products, of which stores, with most complaints first. A press narrows the page. */
export function Sides({ ask, field }: { ask: Ask; field: Narrow }) {
  const { t } = useTranslation('feedback');
  const fmt = useFormat();
  const { name } = useFeedbackNames();
  const chosen = ask.raw[field];
  const answer = useQuery(
    figuresQuery('feedback', { where: ask.where(), group_by: [{ field }, { field: 'sentiment' }], limit: 1000 }),
  );
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={5} />;
  const rows = moods(answer.data)
    .filter((row) => row.key !== '')
    .map(
      ({ value, key, mood }): Row => ({
        key,
        mood,
        title: field === 'channel' ? name(field, key) : (value as Ref).title,
      }),
    )
    .sort((left, right) => right.mood.negative - left.mood.negative || sum(right.mood) - sum(left.mood))
    .slice(0, SHOWN);
  if (rows.length === 0 && field === 'store') return null;
  const most = Math.max(1, ...rows.map((row) => sum(row.mood)));
  return (
    <Panel
      flush
      title={t(`feedback:side.${field}`)}
      aside={
        chosen !== undefined && (
          <Button kind="subtle" onClick={() => ask.go({ [field]: undefined })}>
            {t('feedback:side.all')}
          </Button>
        )
      }
    >
      <Table
        label={t(`feedback:side.${field}`)}
        rows={rows}
        rowKey={(row) => row.key}
        empty={<p className={css.foot}>{t('feedback:side.none')}</p>}
        columns={[
          {
            key: 'name',
            label: t(`feedback:side.${field}`),
            cell: (row) => (
              <Barred share={sum(row.mood) / most}>
                <button
                  type="button"
                  className={css.link}
                  aria-pressed={chosen === row.key}
                  onClick={() => ask.go({ [field]: chosen === row.key ? undefined : row.key })}
                >
                  {row.title}
                </button>
              </Barred>
            ),
          },
          { key: 'count', label: t('feedback:term.count'), align: 'right', cell: (row) => fmt.number(sum(row.mood)) },
          {
            key: 'negative',
            label: t('feedback:term.negative'),
            align: 'right',
            cell: (row) => (
              <Link
                to="/o/$object"
                params={{ object: 'feedback' }}
                search={{
                  where: encodeCondition(
                    ask.where({ field, op: '=', value: row.key }, { field: 'sentiment', op: '=', value: 'negative' }),
                  ),
                }}
              >
                {fmt.number(row.mood.negative)}
              </Link>
            ),
          },
          {
            key: 'share',
            label: t('feedback:side.share'),
            align: 'right',
            minor: true,
            cell: (row) => fmt.percent(row.mood.negative / Math.max(1, sum(row.mood)), 1),
          },
        ]}
      />
    </Panel>
  );
}
