import { IconChartAreaLine, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Segment, type SegmentSize, segmentHistoryQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { EmptyState, ErrorState, IconButton, Panel, Skeleton, Table } from '@/ui';
import { AreaChart } from '@/ui/chart';
import css from './segments.module.css';

function HistoryTable({ points }: { points: readonly SegmentSize[] }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  return (
    <div className={css.scroll}>
      <Table
        label={t('segments:history')}
        rows={points.toReversed()}
        rowKey={(point) => point.at}
        columns={[
          { key: 'at', label: t('segments:at'), cell: (point) => fmt.datetime(point.at) },
          { key: 'size', label: t('segments:size'), align: 'right', cell: (point) => fmt.number(point.size) },
          {
            key: 'entered',
            label: t('segments:entered'),
            align: 'right',
            cell: (point) => `+${fmt.number(point.entered)}`,
          },
          {
            key: 'left',
            label: t('segments:left'),
            align: 'right',
            cell: (point) => `\u2212${fmt.number(point.left)}`,
          },
        ]}
      />
    </div>
  );
}

export function SizeHistory({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const [asTable, setAsTable] = useState(false);
  const { data, error, isPending, refetch } = useQuery(segmentHistoryQuery(segment.key));
  const points = (data?.items ?? []).toSorted((left, right) => left.at.localeCompare(right.at));
  return (
    <Panel
      title={t('segments:history')}
      aside={
        <IconButton
          label={asTable ? t('segments:asChart') : t('segments:asTable')}
          icon={asTable ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
          onClick={() => setAsTable(!asTable)}
        />
      }
    >
      {isPending && <Skeleton height={180} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && points.length === 0 && (
        <EmptyState compact cause="none" title={t('segments:noHistory')} text={t('segments:noHistoryText')} />
      )}
      {points.length > 0 && asTable && <HistoryTable points={points} />}
      {points.length > 0 && !asTable && (
        <AreaChart
          label={t('segments:historyOf', { name: segment.label })}
          height={180}
          fromZero={false}
          format={(value) => fmt.number(Math.round(value))}
          formatAxis={(value) => fmt.number(Math.round(value))}
          points={points.map((point) => ({
            key: point.at,
            short: fmt.shortDate(point.at),
            title: fmt.datetime(point.at),
            value: point.size,
            notes: [t('segments:moves', { entered: fmt.number(point.entered), left: fmt.number(point.left) })],
          }))}
        />
      )}
    </Panel>
  );
}
