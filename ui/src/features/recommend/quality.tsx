import { Link } from '@tanstack/react-router';
import type { RecommendOverview, RecommendQuality } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Panel, Pill, Table, type TableColumn, Tooltip } from '@/ui';
import { Barred } from '@/ui/figures';
import css from './recommend-page.module.css';

const FIGURES = ['hit', 'ndcg', 'recall', 'coverage'] as const;

/** Each way to recommend beside the best sellers, measured on purchases that came later. */
export function Quality({ data }: { data: RecommendOverview }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const judged = data.judged.length > 0;
  return (
    <>
      <p className={css.lead}>
        {judged
          ? t('recommend:quality.lead', { from: fmt.date(data.held_from), until: fmt.date(data.held_until) })
          : t('recommend:quality.unjudged')}{' '}
        <Link to="/models/$key" params={{ key: 'recommend' }} className={css.link}>
          {t('recommend:quality.card')}
        </Link>
      </p>
      {(['new', 'again'] as const).map((task) => {
        const rows = data.judged.filter((each) => each.task === task);
        return rows.length === 0 ? null : <Task key={task} task={task} rows={rows} data={data} />;
      })}
    </>
  );
}

function Task({ task, rows, data }: { task: 'new' | 'again'; rows: RecommendQuality[]; data: RecommendOverview }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const base = rows.find((row) => row.method === 'popular');
  const best = rows.find((row) => row.chosen);
  const figure = (key: (typeof FIGURES)[number]): TableColumn<RecommendQuality> => ({
    key,
    label: (
      <Tooltip label={t(`recommend:quality.means.${key}`, { count: data.listed })}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the explanation of a figure must be reachable by keyboard */}
        <span tabIndex={0} className={css.term}>
          {t(`recommend:quality.${key}`, { count: data.listed })}
        </span>
      </Tooltip>
    ),
    align: 'right',
    minor: key === 'recall' || key === 'coverage',
    cell: (row) => fmt.percent(row[key], 1),
  });
  const most = Math.max(0.0001, ...rows.map((row) => row.ndcg));
  return (
    <Panel
      flush
      title={t(`recommend:quality.task.${task}`)}
      aside={<span className="muted">{t('recommend:quality.customers', { count: rows[0]?.customers ?? 0 })}</span>}
    >
      <Table
        label={t(`recommend:quality.task.${task}`)}
        rows={rows}
        rowKey={(row) => row.method}
        columns={[
          {
            key: 'method',
            label: t('recommend:quality.method'),
            cell: (row) => (
              <Barred share={row.ndcg / most}>
                <span>{t(`recommend:method.${row.method}`)}</span>
                {row.chosen && <Pill color="teal">{t('recommend:quality.used')}</Pill>}
              </Barred>
            ),
          },
          ...FIGURES.map(figure),
        ]}
      />
      <p className={css.foot}>
        {base !== undefined && best !== undefined && best.method !== 'popular' && base.ndcg > 0
          ? t('recommend:quality.beats', { times: fmt.number(Math.round((best.ndcg / base.ndcg) * 10) / 10) })
          : t('recommend:quality.loses')}{' '}
        {t(`recommend:quality.about.${task}`)}
      </p>
    </Panel>
  );
}
