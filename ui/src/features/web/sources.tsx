import { IconFilter } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { WEB_DIMENSIONS, WEB_ROWS, type WebDimension, type WebRow, webBreakdownQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { ErrorState, IconButton, Select, SkeletonRows } from '@/ui';
import { Behind, type FigureColumn, FigureTable } from './figure-table';
import { useWeb } from './search';
import css from './web.module.css';
import { useNumbers, useValueName } from './words';

const SHOWN = 100;
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function useColumns(by: WebDimension): FigureColumn<WebRow>[] {
  const { t } = useTranslation('web');
  const { number, share, seconds } = useNumbers();
  const fmt = useFormat();
  const { ask, go } = useWeb();
  const people = (row: WebRow, only?: 'bounced' | 'converted') =>
    go(
      {
        who: {
          behind: { figure: 'visits', ...(only !== undefined && { only }) },
          filter: { ...ask.filter, [by]: row.value },
        },
      },
      true,
    );
  return [
    {
      key: 'visitors',
      label: t('web:term.visitors'),
      term: 'visitors',
      raw: (row) => row.visitors,
      cell: (row) => (
        <Behind label={t('web:showPeople')} onOpen={() => people(row)}>
          {number(row.visitors)}
        </Behind>
      ),
    },
    {
      key: 'visits',
      label: t('web:term.visits'),
      term: 'visits',
      raw: (row) => row.visits,
      cell: (row) => number(row.visits),
    },
    {
      key: 'views',
      label: t('web:term.views'),
      term: 'views',
      raw: (row) => row.views,
      cell: (row) => number(row.views),
      minor: true,
    },
    {
      key: 'bounce',
      label: t('web:term.bounce'),
      term: 'bounce',
      raw: (row) => ratio(row.bounced, row.visits),
      cell: (row) => share(row.bounced, row.visits),
      minor: true,
    },
    {
      key: 'duration',
      label: t('web:term.duration'),
      term: 'duration',
      raw: (row) => ratio(row.seconds, row.visits),
      cell: (row) => seconds(ratio(row.seconds, row.visits)),
      minor: true,
    },
    {
      key: 'engaged',
      label: t('web:term.engagedRate'),
      term: 'engagedRate',
      raw: (row) => ratio(row.engaged, row.visits),
      cell: (row) => share(row.engaged, row.visits),
      minor: true,
    },
    {
      key: 'conversion',
      label: t('web:term.conversion'),
      term: 'conversion',
      raw: (row) => ratio(row.converters, row.visitors),
      cell: (row) =>
        row.converters === 0 ? (
          share(0, row.visitors)
        ) : (
          <Behind label={t('web:showPeople')} onOpen={() => people(row, 'converted')}>
            {share(row.converters, row.visitors)}
          </Behind>
        ),
    },
    {
      key: 'amount',
      label: t('web:sales'),
      raw: (row) => Number(row.amount.amount),
      cell: (row) => fmt.money(row.amount, { compact: true }),
      minor: true,
    },
  ];
}

/** Visits by where they came from, on what, and from where in the world. */
export function Sources() {
  const { t } = useTranslation('web');
  const { ask, search, go } = useWeb();
  const client = useQueryClient();
  const name = useValueName();
  const by = WEB_DIMENSIONS.find((one) => one === search.by) ?? 'channel';
  const { data, error, refetch } = useQuery(webBreakdownQuery(ask, by, SHOWN));
  const columns = useColumns(by);
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <FigureTable
      title={t('web:visitsBy', { name: t(`web:dimension.${by}`) })}
      nameLabel={t(`web:dimension.${by}`)}
      name={(row) => name(by, row.value)}
      nameCell={(row) => (
        <>
          <span className="truncate grow" title={name(by, row.value)}>
            {name(by, row.value)}
          </span>
          <IconButton
            size="sm"
            label={t('web:onlyThis', { name: name(by, row.value) })}
            icon={<IconFilter size={14} />}
            onClick={() => go({ filter: { ...ask.filter, [by]: row.value } })}
          />
        </>
      )}
      rows={data.items}
      rowKey={(row) => row.value}
      bar={(row) => row.visits}
      columns={columns}
      more={data.more}
      file={`${by}-${ask.from}-${ask.to}`}
      all={async () => (await client.fetchQuery(webBreakdownQuery(ask, by, WEB_ROWS))).items}
      aside={
        <span className={css.buttons}>
          <Select
            aria-label={t('web:splitBy')}
            value={by}
            onChange={(next) => next !== null && go({ by: next })}
            options={WEB_DIMENSIONS.map((key) => ({ value: key as string, label: t(`web:dimension.${key}`) }))}
          />
        </span>
      }
    />
  );
}
