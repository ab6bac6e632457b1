import { IconChartAreaLine, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type WebBucket, type WebDimension, type WebOverview, webBreakdownQuery, webPagesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, EmptyState, IconButton, Panel, SegmentedControl, Skeleton, Table } from '@/ui';
import { AreaChart } from '@/ui/chart';
import { Barred, Figures, Halves, Stack, Figure as Tile } from '@/ui/figures';
import { Behind } from './figure-table';
import { useWeb, type WebTab, type Who } from './search';
import css from './web.module.css';
import { useNumbers, useValueName } from './words';

interface CardProps {
  name: string;
  means: string;
  value: ReactNode;
  now: number;
  before: number;
  /** More of it is worse. */
  worse?: boolean;
  who?: Who;
}

function Change({ now, before, worse = false }: { now: number; before: number; worse?: boolean }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  if (before === 0 || !Number.isFinite(now / before)) return <span className={css.change}>{t('web:noBefore')}</span>;
  const change = now / before - 1;
  const good = worse ? change < 0 : change > 0;
  const tone = good ? 'good' : 'bad';
  return (
    <span className={css.change}>
      <span className={css.tone} data-tone={Math.abs(change) < 0.0005 ? undefined : tone}>
        {change > 0 && '+'}
        {fmt.percent(change, 1)}
      </span>
      {t('web:versusBefore')}
    </span>
  );
}

function Card({ name, means, value, now, before, worse = false, who }: CardProps) {
  const { t } = useTranslation('web');
  const { go } = useWeb();
  return (
    <Tile
      name={name}
      value={
        who === undefined ? (
          value
        ) : (
          <Behind label={t('web:showPeople')} onOpen={() => go({ who }, true)}>
            {value}
          </Behind>
        )
      }
      change={<Change now={now} before={before} worse={worse} />}
      note={means}
    />
  );
}

function Cards({ data }: { data: WebOverview }) {
  const { t } = useTranslation('web');
  const { number, share, seconds } = useNumbers();
  const { ask } = useWeb();
  const { now, before } = data;
  const per = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const card = (key: string, of: (totals: WebOverview['now']) => number, rest: Partial<CardProps>) => (
    <Card
      name={t(`web:term.${key}`)}
      means={t(`web:means.${key}`)}
      now={of(now)}
      before={of(before)}
      value={number(of(now))}
      {...rest}
    />
  );
  const visits = (only?: 'bounced' | 'engaged' | 'converted'): Who => ({
    behind: { figure: 'visits', ...(only !== undefined && { only }) },
  });
  return (
    <Figures>
      {card('visitors', (one) => one.visitors, { who: visits() })}
      {card('visits', (one) => one.visits, {})}
      {card('views', (one) => one.views, {})}
      {card('conversion', (one) => per(one.converters, one.visitors), {
        value: share(now.converters, now.visitors, 2),
        means: ask.goal === '' ? t('web:means.conversion') : t('web:meansGoal', { name: ask.goal }),
        who: visits('converted'),
      })}
      {card('bounce', (one) => per(one.bounced, one.visits), {
        value: share(now.bounced, now.visits),
        worse: true,
        who: visits('bounced'),
      })}
      {card('engagedRate', (one) => per(one.engaged, one.visits), {
        value: share(now.engaged, now.visits),
        who: visits('engaged'),
      })}
      {card('duration', (one) => per(one.seconds, one.visits), { value: seconds(per(now.seconds, now.visits)) })}
      {card('engagedTime', (one) => per(one.engaged_seconds, one.visits), {
        value: seconds(per(now.engaged_seconds, now.visits)),
      })}
    </Figures>
  );
}

const FIGURES = ['visitors', 'visits', 'views'] as const;
type Figure = (typeof FIGURES)[number];

function Trend({ data, hours }: { data: WebOverview; hours: boolean }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const { number } = useNumbers();
  const { go, search, ask } = useWeb();
  const figure = FIGURES.find((one) => one === search.by) ?? 'visitors';
  const [table, setTable] = useState(false);
  const title = (bucket: WebBucket) => (bucket.at === undefined ? fmt.date(bucket.day) : fmt.datetime(bucket.at));
  const open = (bucket: WebBucket) =>
    bucket.at === undefined && go({ who: { behind: { figure: 'visits' }, from: bucket.day, to: bucket.day } }, true);
  return (
    <Panel
      title={t('web:trend')}
      aside={
        <>
          <SegmentedControl<Figure>
            label={t('web:trendOf')}
            value={figure}
            onChange={(next) => go({ by: next })}
            options={FIGURES.map((value) => ({ value, label: t(`web:term.${value}`) }))}
          />
          <IconButton
            label={table ? t('web:asChart') : t('web:asTable')}
            icon={table ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
            onClick={() => setTable(!table)}
          />
        </>
      }
    >
      {table ? (
        <div style={{ maxHeight: 300, overflow: 'auto' }}>
          <Table
            label={t('web:trend')}
            rows={data.trend}
            rowKey={(bucket) => bucket.at ?? bucket.day}
            columns={[
              { key: 'day', label: t('web:day'), cell: title },
              ...FIGURES.map((key) => ({
                key,
                label: t(`web:term.${key}`),
                align: 'right' as const,
                cell: (bucket: WebBucket) => number(bucket[key]),
              })),
            ]}
          />
        </div>
      ) : (
        <AreaChart
          label={t('web:trendLabel', { name: t(`web:term.${figure}`) })}
          format={number}
          formatAxis={(value) => fmt.compact(value)}
          before={data.past.map((bucket) => bucket[figure])}
          points={data.trend.map((bucket, at) => ({
            key: bucket.at ?? bucket.day,
            short: bucket.at === undefined ? fmt.shortDate(bucket.day) : fmt.time(bucket.at),
            title: title(bucket),
            value: bucket[figure],
            notes: [t('web:beforeValue', { value: number(data.past[at]?.[figure] ?? 0) })],
          }))}
          {...(!hours && {
            onPick: (at: number) => {
              const bucket = data.trend[at];
              if (bucket !== undefined) open(bucket);
            },
          })}
        />
      )}
      <p className="muted">
        {t('web:trendNote', { from: fmt.date(data.before_span.from), to: fmt.date(data.before_span.to) })}{' '}
        {ask.from !== ask.to && t('web:notSummed')}
      </p>
    </Panel>
  );
}

interface Ranked {
  name: string;
  value: number;
}
function Ranks({
  title,
  list,
  tab,
  by,
}: {
  title: string;
  list: readonly Ranked[] | undefined;
  tab: WebTab;
  by?: string;
}) {
  const { t } = useTranslation('web');
  const { number } = useNumbers();
  const { go } = useWeb();
  const most = Math.max(1, ...(list ?? []).map((one) => one.value));
  return (
    <Panel
      title={title}
      aside={
        <Button kind="subtle" onClick={() => go({ tab, by }, true)}>
          {t('web:all')}
        </Button>
      }
    >
      {list === undefined && <Skeleton height={180} />}
      {list?.length === 0 && <EmptyState compact cause="no_match" title={t('web:nothing')} text="" />}
      <ol className={css.list}>
        {(list ?? []).map((one) => (
          <li key={one.name} className={css.row}>
            <Barred share={one.value / most}>
              <span className="truncate" title={one.name}>
                {one.name}
              </span>
            </Barred>
            <span className="tabular">{number(one.value)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

const FEW = 7;

function Dimension({ of }: { of: WebDimension }) {
  const { t } = useTranslation('web');
  const { ask } = useWeb();
  const name = useValueName();
  const { data } = useQuery(webBreakdownQuery(ask, of, FEW));
  return (
    <Ranks
      title={t('web:visitsBy', { name: t(`web:dimension.${of}`) })}
      tab="sources"
      by={of}
      list={data?.items.map((row) => ({ name: name(of, row.value), value: row.visits }))}
    />
  );
}

function TopPages() {
  const { t } = useTranslation('web');
  const { ask } = useWeb();
  const { data } = useQuery(webPagesQuery(ask, FEW));
  return (
    <Ranks
      title={t('web:topPages')}
      tab="pages"
      list={data?.items.map((page) => ({ name: page.path || page.title || t('web:unknown'), value: page.views }))}
    />
  );
}

export function Overview({ data, dim, hours }: { data: WebOverview; dim: boolean; hours: boolean }) {
  const { t } = useTranslation('web');
  return (
    <Stack dim={dim}>
      <Cards data={data} />
      <Trend data={data} hours={hours} />
      <Halves>
        <Dimension of="channel" />
        <TopPages />
        <Dimension of="device" />
        <Dimension of="region" />
      </Halves>
      <p className="muted">
        <a href="https://db-ip.com" target="_blank" rel="noreferrer">
          {t('web:regionCredit')}
        </a>
      </p>
    </Stack>
  );
}
