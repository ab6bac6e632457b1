import { IconChartAreaLine, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Classification, type ClassificationRun, classificationHistoryQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { EmptyState, ErrorState, IconButton, Panel, Skeleton, Table, type TableColumn } from '@/ui';
import { StackedArea, Swatch } from '@/ui/chart';
import css from './classifications.module.css';

const REASONS = new Set(['edited', 'reset', 'nightly', 'import', 'changed', 'computed', 'recomputed']);

export function History({ classification }: { classification: Classification }) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  const [asTable, setAsTable] = useState(false);
  const { data, error, isPending, refetch } = useQuery(classificationHistoryQuery(classification.key));
  const runs = (data?.items ?? []).toSorted((left, right) => left.at.localeCompare(right.at));
  const columns: TableColumn<ClassificationRun>[] = [
    { key: 'at', label: t('classifications:at'), cell: (run) => fmt.datetime(run.at) },
    {
      key: 'why',
      label: t('classifications:why'),
      cell: (run) => (REASONS.has(run.reason) ? t(`classifications:reason.${run.reason}`) : run.reason),
    },
    { key: 'by', label: t('classifications:by'), minor: true, cell: (run) => run.by || t('classifications:system') },
    { key: 'moved', label: t('classifications:moved'), align: 'right', cell: (run) => fmt.number(run.moved) },
    ...classification.classes.map((each) => ({
      key: each.key,
      label: label(each.label, each.key),
      align: 'right' as const,
      minor: true,
      cell: (run: ClassificationRun) => fmt.number(run.counts[each.key] ?? 0),
    })),
  ];
  return (
    <Panel
      flush={asTable}
      title={t('classifications:history')}
      aside={
        <IconButton
          label={asTable ? t('classifications:asChart') : t('classifications:asTable')}
          icon={asTable ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
          onClick={() => setAsTable(!asTable)}
        />
      }
    >
      {isPending && <Skeleton height={200} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && runs.length === 0 && (
        <EmptyState compact cause="none" title={t('classifications:noHistory')} text="" />
      )}
      {runs.length > 0 && asTable && (
        <div className={css.historyTable}>
          <Table
            label={t('classifications:history')}
            columns={columns}
            rows={runs.toReversed()}
            rowKey={(run) => run.at}
          />
        </div>
      )}
      {runs.length > 0 && !asTable && (
        <>
          <StackedArea
            label={t('classifications:historyLabel')}
            format={(value) => fmt.number(Math.round(value))}
            titles={runs.map((run) => fmt.datetime(run.at))}
            shorts={runs.map((run) => fmt.shortDate(run.at))}
            layers={classification.classes.toReversed().map((each) => ({
              key: each.key,
              label: label(each.label, each.key),
              color: each.color,
              values: runs.map((run) => run.counts[each.key] ?? 0),
            }))}
          />
          <div className={css.legendLine}>
            {classification.classes.map((each) => (
              <Swatch key={each.key} color={each.color}>
                {label(each.label, each.key)}
              </Swatch>
            ))}
          </div>
        </>
      )}
    </Panel>
  );
}
