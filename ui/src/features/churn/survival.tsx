import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ChurnGroup, churnSurvivalQuery, classificationsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { EmptyState, ErrorState, Panel, Select, SkeletonRows, Table } from '@/ui';
import { Plot } from '@/ui/chart';
import css from './churn.module.css';

const MOST = 8;
const PLACES = 60;

/** The share that is still there at each month; none behind the last one that is known. */
function steps(group: ChurnGroup, last: number, by: number): (number | null)[] {
  const end = group.curve.at(-1)?.months ?? 0;
  return Array.from({ length: Math.floor(last / by) + 1 }, (_, at) => {
    if (at * by > end) return null;
    return group.curve.findLast((point) => point.months <= at * by)?.share ?? 1;
  });
}

/** How long customers last, by class, and whether classes differ by more than chance. */
export function Survival() {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const [by, setBy] = useState('');
  const classes = useQuery({ ...classificationsQuery(), enabled: can('segment.read') }).data?.items ?? [];
  const answer = useQuery(churnSurvivalQuery(by));
  const data = answer.data;
  if (data === undefined)
    return answer.error === null ? (
      <SkeletonRows rows={8} />
    ) : (
      <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
    );
  const groups = data.groups.length === 0 ? [data.all] : data.groups;
  const drawn = groups.slice(0, MOST);
  const last = Math.max(1, ...drawn.map((group) => group.curve.at(-1)?.months ?? 0));
  const stride = Math.max(1, Math.ceil(last / PLACES));
  const name = (group: ChurnGroup) => (group.key === '' ? t('churn:everyone') : label(group.label, group.key));
  const verdict = () => {
    if (by === '') return t('churn:test.choose');
    if (data.p === null) return t('churn:test.none');
    const p = data.p < 0.001 ? '< 0.001' : `= ${fmt.number(data.p, 3)}`;
    return t(data.p < 0.05 ? 'churn:test.differ' : 'churn:test.alike', { p });
  };
  return (
    <Panel title={t('churn:survival')}>
      <div className={css.pick}>
        <Select
          label={t('churn:byClass')}
          value={by}
          onChange={(next) => setBy(next ?? '')}
          options={[
            { value: '', label: t('churn:everyone') },
            ...classes.map((one) => ({ value: one.key, label: label(one.label, one.key) })),
          ]}
        />
      </div>
      {data.all.customers === 0 ? (
        <EmptyState compact cause="none" title={t('churn:noLives')} text={t('churn:noLivesText')} />
      ) : (
        <>
          <p className={css.text} aria-live="polite">
            {verdict()}
          </p>
          <Plot
            label={t('churn:survival')}
            kind="lines"
            x={Array.from({ length: Math.floor(last / stride) + 1 }, (_, at) =>
              t('churn:months', { count: at * stride, shown: fmt.number(at * stride) }),
            )}
            series={drawn.map((group) => ({
              key: group.key || 'all',
              label: name(group),
              values: steps(group, last, stride),
            }))}
            format={(value) => fmt.percent(value, 0)}
          />
          <Table
            label={t('churn:survival')}
            rows={groups}
            rowKey={(group) => group.key}
            columns={[
              { key: 'name', label: t('churn:class'), cell: name },
              {
                key: 'customers',
                label: t('churn:customers'),
                align: 'right',
                cell: (group) => fmt.number(group.customers),
              },
              { key: 'lost', label: t('churn:lost'), align: 'right', cell: (group) => fmt.number(group.lost) },
              {
                key: 'after12',
                label: t('churn:after12'),
                align: 'right',
                cell: (group) => fmt.percent(group.after12, 0),
              },
              {
                key: 'median',
                label: t('churn:median'),
                align: 'right',
                cell: (group) =>
                  group.median === null
                    ? t('churn:notYet')
                    : t('churn:months', { count: group.median, shown: fmt.number(group.median) }),
              },
            ]}
          />
          <p className={css.means}>{t('churn:survivalMean', { day: fmt.date(data.anchor) })}</p>
        </>
      )}
    </Panel>
  );
}
