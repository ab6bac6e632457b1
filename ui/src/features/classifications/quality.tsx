import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Classification, type ClassQualityLine, classQualityQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { ErrorState, Panel, SkeletonRows, Table, Tooltip } from '@/ui';
import { heatCell, heatLevel, Swatch } from '@/ui/chart';
import css from './studio.module.css';

const NONE = '\u2013';

/** Whether the classification is worth having. */
export function Quality({ classification }: { classification: Classification }) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  const { data, error, refetch } = useQuery(classQualityQuery(classification.key));
  const share = (value: number | null) => (value === null ? NONE : fmt.percent(value));
  const head = (key: string) => (
    <Tooltip label={t(`classifications:quality.means.${key}`)}>
      <span>{t(`classifications:quality.${key}`)}</span>
    </Tooltip>
  );
  const ruleOf = (line: ClassQualityLine) => classification.classes.find((each) => each.key === line.key);
  const lift = (line: ClassQualityLine) =>
    line.lift === null
      ? NONE
      : t('classifications:quality.times', {
          lift: fmt.number(line.lift, 2),
          low: fmt.number(line.low, 2),
          high: fmt.number(line.high, 2),
        });
  return (
    <Panel flush title={t('classifications:quality.title')}>
      {data === undefined && error === null && <SkeletonRows rows={5} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <>
          <ul className={css.sums}>
            {(
              [
                ['balance', fmt.number(data.balance, 2)],
                ['stable_30', share(data.stable_30)],
                ['stable_90', share(data.stable_90)],
                ['explained', share(data.explained)],
              ] as const
            ).map(([key, value]) => (
              <li key={key}>
                {head(key)} <strong>{value}</strong>
              </li>
            ))}
          </ul>
          <Table
            label={t('classifications:quality.title')}
            rows={data.classes}
            rowKey={(line) => line.key}
            columns={[
              {
                key: 'class',
                label: t('classifications:quality.class'),
                cell: (line) => (
                  <Swatch color={ruleOf(line)?.color ?? 'gray'}>{label(ruleOf(line)?.label, line.key)}</Swatch>
                ),
              },
              {
                key: 'share',
                label: head('share'),
                align: 'right',
                cell: (line) => `${fmt.number(line.count)} \u00b7 ${fmt.percent(line.share)}`,
              },
              {
                key: 's30',
                label: head('stable_30'),
                align: 'right',
                minor: true,
                cell: (line) => share(line.stable_30),
              },
              {
                key: 's90',
                label: head('stable_90'),
                align: 'right',
                minor: true,
                cell: (line) => share(line.stable_90),
              },
              {
                key: 'mean',
                label: head('mean'),
                align: 'right',
                minor: true,
                cell: (line) => (line.mean === null ? NONE : fmt.money(line.mean, { compact: true })),
              },
              { key: 'buying', label: head('buying'), align: 'right', minor: true, cell: (line) => share(line.buying) },
              { key: 'lift', label: head('lift'), align: 'right', cell: lift },
            ]}
          />
          <p className={css.foot}>
            {data.later_from === undefined
              ? t('classifications:quality.noPast', { day: data.since === undefined ? NONE : fmt.date(data.since) })
              : t('classifications:quality.span', { from: fmt.date(data.later_from), to: fmt.date(data.later_to) })}
          </p>
          <h3 className={css.sub}>{head('overlap')}</h3>
          <ul className={css.overlaps}>
            {data.overlaps.map((other) => (
              <li key={other.key}>
                <Link to="/classifications/$key" params={{ key: other.key }}>
                  {label(other.label, other.key)}
                </Link>
                <span {...heatCell(Math.min(6, heatLevel(other.v, 1, 'even')))}>{fmt.number(other.v, 2)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
