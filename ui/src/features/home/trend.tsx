import { IconChartAreaLine, IconTable } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Home } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { EmptyState, IconButton, Panel, Table } from '@/ui';
import { AreaChart } from '@/ui/chart';
import { amountOf, narrowed } from './figures';
import css from './home.module.css';
import { ListLink } from './list-link';

type Bucket = Home['trend'][number];

export function Trend({ home }: { home: Home }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const navigate = useNavigate();
  const [asTable, setAsTable] = useState(false);
  const { orders } = home.links;
  const behind = (bucket: Bucket) => (orders.where === null ? null : narrowed(orders.where, bucket));
  const title = (bucket: Bucket) =>
    bucket.from === bucket.to ? fmt.date(bucket.from) : `${fmt.date(bucket.from)} \u2013 ${fmt.date(bucket.to)}`;
  const sales = home.trend.some((bucket) => bucket.orders > 0);
  const money = (value: number) =>
    fmt.money({ amount: String(Math.round(value * 100) / 100), currency: home.currency });
  return (
    <Panel
      title={t('home:trend')}
      aside={
        <>
          <span>{t('home:trendHelp')}</span>
          <IconButton
            label={asTable ? t('home:asChart') : t('home:asTable')}
            icon={asTable ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
            onClick={() => setAsTable(!asTable)}
          />
        </>
      }
    >
      {!sales && <EmptyState compact cause="no_match" title={t('home:noSales')} text={t('home:noSalesText')} />}
      {sales && asTable && (
        <div className={css.trendTable}>
          <Table
            label={t('home:trend')}
            rows={home.trend.toReversed()}
            rowKey={(bucket) => bucket.from}
            columns={[
              {
                key: 'days',
                label: t('home:days'),
                cell: (bucket) => (
                  <ListLink object="order" where={behind(bucket)}>
                    {title(bucket)}
                  </ListLink>
                ),
              },
              {
                key: 'orders',
                label: t('home:kpi.orders'),
                align: 'right',
                cell: (bucket) => fmt.number(bucket.orders),
              },
              {
                key: 'revenue',
                label: t('home:kpi.revenue'),
                align: 'right',
                cell: (bucket) => fmt.money(bucket.revenue, { fixed: true }),
              },
            ]}
          />
        </div>
      )}
      {sales && !asTable && (
        <AreaChart
          label={t('home:trendLabel')}
          height={228}
          format={money}
          formatAxis={(value) => fmt.compact(value)}
          onPick={(at) => {
            const bucket = home.trend[at];
            if (bucket === undefined) return;
            navigate({
              to: '/o/$object',
              params: { object: orders.object },
              search: { where: encodeCondition(behind(bucket)) },
            });
          }}
          points={home.trend.map((bucket) => ({
            key: bucket.from,
            short: fmt.shortDate(bucket.to),
            title: title(bucket),
            value: amountOf(bucket.revenue),
            notes: [t('home:orderCount', { count: bucket.orders, shown: fmt.number(bucket.orders) })],
          }))}
        />
      )}
    </Panel>
  );
}
