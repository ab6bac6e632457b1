import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Condition, figuresQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, useCan, useObject } from '@/metadata';
import { Behind } from '@/records/churn/parts';
import { ButtonLink, Closed, EmptyState, ErrorState, Panel, SegmentedControl, SkeletonRows, Table } from '@/ui';
import { Plot } from '@/ui/chart';
import { Barred, Halves, Stack, Toolbar } from '@/ui/figures';
import css from './churn.module.css';

const SPANS = ['90', '365', 'all'] as const;
type Span = (typeof SPANS)[number];
const OBJECT = 'churn_reason';
const DRAWN = 5;

const within = (span: Span): Condition | undefined =>
  span === 'all' ? undefined : { field: 'said_at', op: 'within_last', value: { days: Number(span) } };

/** Why customers say they left: only what was said, by reason and by month. */
export function Reasons() {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const object = useObject(OBJECT);
  const can = useCan();
  const [span, setSpan] = useState<Span>('365');
  const where = within(span);
  const scope = where === undefined ? {} : { where };
  const seen = object !== undefined;
  const reasons = useQuery({ ...figuresQuery(OBJECT, { ...scope, group_by: [{ field: 'reason' }] }), enabled: seen });
  const months = useQuery({
    ...figuresQuery(OBJECT, {
      ...scope,
      group_by: [{ field: 'reason' }, { field: 'said_at', by: 'month' }],
      limit: 1000,
    }),
    enabled: seen,
  });
  if (object === undefined) return <Closed cause="no_permission" />;
  const data = reasons.data;
  if (data === undefined)
    return reasons.error === null ? (
      <SkeletonRows rows={6} />
    ) : (
      <ErrorState error={reasons.error} onRetry={() => reasons.refetch()} />
    );
  const options = findField(object, 'reason')?.options ?? [];
  const name = (key: unknown) => label(options.find((one) => one.key === key)?.label, String(key));
  const groups = data.groups.toSorted((a, b) => b.count - a.count);
  const most = Math.max(1, ...groups.map((group) => group.count));
  const cells = months.data?.groups ?? [];
  const places = [...new Set(cells.map((cell) => String(cell.values[1])))].sort();
  return (
    <Stack dim={reasons.isPlaceholderData}>
      <Toolbar>
        <SegmentedControl
          label={t('churn:said.span')}
          value={span}
          onChange={(next) => setSpan(next as Span)}
          options={SPANS.map((value) => ({ value, label: t(`churn:said.spans.${value}`) }))}
        />
        {can('schema.manage') && (
          <ButtonLink kind="subtle" to="/settings/objects/$object" params={{ object: OBJECT }}>
            {t('churn:said.choices')}
          </ButtonLink>
        )}
      </Toolbar>
      {groups.length === 0 ? (
        <EmptyState cause="none" title={t('churn:said.none')} text={t('churn:said.noneText')} />
      ) : (
        <Halves>
          <Panel flush title={t('churn:said.title')}>
            <Table
              label={t('churn:said.title')}
              rows={groups}
              rowKey={(group) => String(group.values[0])}
              columns={[
                {
                  key: 'reason',
                  label: t('churn:said.reason'),
                  cell: (group) => (
                    <Barred share={group.count / most}>
                      <Behind object={OBJECT} where={group.where} label={t('churn:said.open')}>
                        {name(group.values[0])}
                      </Behind>
                    </Barred>
                  ),
                },
                {
                  key: 'count',
                  label: t('churn:said.count'),
                  align: 'right',
                  cell: (group) => fmt.number(group.count),
                },
                {
                  key: 'share',
                  label: t('churn:share'),
                  align: 'right',
                  cell: (group) => fmt.percent(group.count / Math.max(1, data.total.count), 0),
                },
              ]}
            />
            <p className={css.foot}>{t('churn:said.means')}</p>
          </Panel>
          {places.length > 1 && (
            <Panel title={t('churn:said.months')}>
              <Plot
                label={t('churn:said.months')}
                kind="lines"
                x={places.map((place) => place.slice(0, 7))}
                series={groups.slice(0, DRAWN).map((group) => ({
                  key: String(group.values[0]),
                  label: name(group.values[0]),
                  values: places.map(
                    (place) =>
                      cells.find((cell) => cell.values[0] === group.values[0] && String(cell.values[1]) === place)
                        ?.count ?? 0,
                  ),
                }))}
                format={(value) => fmt.number(value)}
              />
            </Panel>
          )}
        </Halves>
      )}
    </Stack>
  );
}
