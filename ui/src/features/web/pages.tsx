import { useQuery, useQueryClient } from '@tanstack/react-query';
import { WEB_ROWS, type WebEvent, type WebPage, webEventsQuery, webPagesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { ErrorState, SkeletonRows } from '@/ui';
import { Behind, type FigureColumn, FigureTable } from './figure-table';
import { useWeb } from './search';
import { useNumbers } from './words';

const SHOWN = 100;
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Pages and screens: what is looked at, entered by and left from. */
export function Pages() {
  const { t } = useTranslation('web');
  const { number, share, seconds } = useNumbers();
  const { ask, go } = useWeb();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(webPagesQuery(ask, SHOWN));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  const hosts = new Set(data.items.map((page) => page.host)).size > 1;
  const name = (page: WebPage) => `${hosts ? page.host : ''}${page.path || page.title || t('web:unknown')}`;
  const columns: FigureColumn<WebPage>[] = [
    {
      key: 'views',
      label: t('web:term.views'),
      term: 'views',
      raw: (page) => page.views,
      cell: (page) => number(page.views),
    },
    {
      key: 'visitors',
      label: t('web:term.visitors'),
      term: 'visitors',
      raw: (page) => page.visitors,
      cell: (page) => (
        <Behind
          label={t('web:showPeople')}
          onOpen={() => go({ who: { behind: { figure: 'page', host: page.host, path: page.path } } }, true)}
        >
          {number(page.visitors)}
        </Behind>
      ),
    },
    {
      key: 'entries',
      label: t('web:term.entries'),
      term: 'entries',
      raw: (page) => page.entries,
      cell: (page) => number(page.entries),
      minor: true,
    },
    {
      key: 'exits',
      label: t('web:term.exits'),
      term: 'exits',
      raw: (page) => page.exits,
      cell: (page) => number(page.exits),
      minor: true,
    },
    {
      key: 'exitRate',
      label: t('web:term.exitRate'),
      term: 'exitRate',
      raw: (page) => ratio(page.exits, page.views),
      cell: (page) => share(page.exits, page.views),
      minor: true,
    },
    {
      key: 'bounce',
      label: t('web:term.pageBounce'),
      term: 'pageBounce',
      raw: (page) => ratio(page.bounced, page.entries),
      cell: (page) => share(page.bounced, page.entries),
      minor: true,
    },
    {
      key: 'dwell',
      label: t('web:term.dwell'),
      term: 'dwell',
      raw: (page) => ratio(page.dwell_seconds, page.views),
      cell: (page) => seconds(ratio(page.dwell_seconds, page.views)),
    },
  ];
  return (
    <FigureTable
      title={t('web:tab.pages')}
      nameLabel={t('web:page')}
      name={name}
      rows={data.items}
      rowKey={(page) => `${page.host} ${page.path}`}
      bar={(page) => page.views}
      columns={columns}
      more={data.more}
      file={`pages-${ask.from}-${ask.to}`}
      all={async () => (await client.fetchQuery(webPagesQuery(ask, WEB_ROWS))).items}
    />
  );
}

/** Events by name. */
export function Events() {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const { number } = useNumbers();
  const { ask, go } = useWeb();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(webEventsQuery(ask, SHOWN));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  const columns: FigureColumn<WebEvent>[] = [
    {
      key: 'count',
      label: t('web:term.count'),
      term: 'count',
      raw: (event) => event.count,
      cell: (event) => number(event.count),
    },
    {
      key: 'visitors',
      label: t('web:term.visitors'),
      term: 'visitors',
      raw: (event) => event.visitors,
      cell: (event) => (
        <Behind
          label={t('web:showPeople')}
          onOpen={() => go({ who: { behind: { figure: 'event', event: event.name } } }, true)}
        >
          {number(event.visitors)}
        </Behind>
      ),
    },
    {
      key: 'each',
      label: t('web:perVisitor'),
      raw: (event) => ratio(event.count, event.visitors),
      cell: (event) => fmt.number(ratio(event.count, event.visitors), 1),
      minor: true,
    },
    {
      key: 'amount',
      label: t('web:amount'),
      raw: (event) => Number(event.amount.amount),
      cell: (event) => (Number(event.amount.amount) === 0 ? '\u2013' : fmt.money(event.amount, { compact: true })),
      minor: true,
    },
  ];
  return (
    <FigureTable
      title={t('web:tab.events')}
      nameLabel={t('web:event')}
      name={(event) => event.name}
      rows={data.items}
      rowKey={(event) => event.name}
      bar={(event) => event.count}
      columns={columns}
      more={data.more}
      file={`events-${ask.from}-${ask.to}`}
      all={async () => (await client.fetchQuery(webEventsQuery(ask, WEB_ROWS))).items}
    />
  );
}
