import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { type Field, type RecordData, type Segment, segmentMembersQuery } from '@/api';
import { FieldView, useFieldContext } from '@/fields';
import { loadWords, useLabel, useTranslation } from '@/i18n';
import { findField, useCan, useObject } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { usePeek } from '@/shell';
import { Avatar, Button, ButtonLink, EmptyState, ErrorState, Panel, SkeletonRows, Table, type TableColumn } from '@/ui';
import css from './segments.module.css';

const SegmentExport = lazy(async () => {
  const [module] = await Promise.all([import('@/records/mass/list-export'), loadWords('jobs')]);
  return { default: module.SegmentExport };
});

const ROWS = 12;
const COLUMNS = 3;

/** The first members, with the columns that lists of customers begin with. */
export function Members({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const label = useLabel();
  const context = useFieldContext();
  const customer = useObject('customer');
  const { open } = usePeek();
  const can = useCan();
  const [exporting, setExporting] = useState(false);
  const { data, error, isPending, refetch } = useInfiniteQuery(segmentMembersQuery(segment.key, ROWS));
  const rows = data?.pages[0]?.items ?? [];
  const title = customer?.title_field ?? 'name';
  const fields = (customer?.default_columns ?? [])
    .filter((key) => key !== title)
    .map((key) => findField(customer, key))
    .filter((field): field is Field => field !== undefined && field.access !== 'hidden')
    .slice(0, COLUMNS);
  const columns: TableColumn<RecordData>[] = [
    {
      key: title,
      label: label(findField(customer, title)?.label, title),
      cell: (row) => (
        <span className={css.memberName}>
          <Avatar name={row.title} size={22} shape="round" />
          <span className="truncate">{row.title}</span>
        </span>
      ),
    },
    ...fields.map((field, at) => ({
      key: field.key,
      label: label(field.label, field.key),
      minor: at > 0,
      cell: (row: RecordData) => (
        <span className={css.memberCell}>
          <FieldView field={field} value={row.fields[field.key]} context={context} />
        </span>
      ),
    })),
  ];
  return (
    <Panel
      flush
      title={t('segments:members')}
      aside={
        <span className="row">
          {can('export.run') && (
            <Button icon={<IconDownload size={15} />} onClick={() => setExporting(true)}>
              {t('segments:export')}
            </Button>
          )}
          <ButtonLink
            to="/o/$object"
            params={{ object: 'customer' }}
            search={{ where: encodeCondition({ segment: segment.key, op: 'in' }) }}
          >
            {t('segments:openList')}
          </ButtonLink>
        </span>
      }
    >
      {exporting && customer !== undefined && (
        <Suspense>
          <SegmentExport object={customer} segment={segment} onClose={() => setExporting(false)} />
        </Suspense>
      )}
      {isPending && <SkeletonRows rows={ROWS} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && rows.length === 0 && (
        <EmptyState compact cause="no_match" title={t('segments:nobody')} text={t('segments:nobodyText')} />
      )}
      {rows.length > 0 && (
        <>
          <Table
            label={t('segments:members')}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            onRowClick={(row) => open({ object: 'customer', id: row.id })}
          />
          {segment.size !== null && segment.size > rows.length && (
            <p className={css.more}>{t('segments:firstOf', { shown: rows.length, count: segment.size })}</p>
          )}
        </>
      )}
    </Panel>
  );
}
