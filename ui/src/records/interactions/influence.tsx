import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { influenceQuery, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { ErrorState, Pill, SkeletonRows, Stat, Stats, Table } from '@/ui';
import css from './interactions.module.css';

/** Whom a customer reached and brought, with the formula of the score. */
export function InfluencePart({ record }: { record: RecordData }) {
  const { t } = useTranslation('interaction');
  const fmt = useFormat();
  const { data, isError, error, refetch } = useQuery(influenceQuery(record.id));
  if (isError) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (data === undefined) return <SkeletonRows rows={3} />;
  const { formula } = data;
  if (data.points === 0 && data.shared === 0 && data.people.length === 0)
    return <p className="muted">{t('interaction:noInfluence')}</p>;
  return (
    <section className={css.panel} aria-label={t('interaction:influence')}>
      <div className={css.score}>
        <h2 className={css.heading}>{t('interaction:influence')}</h2>
        <span className={css.number}>{fmt.number(data.score)}</span>
        <span className={css.quiet}>
          {t('interaction:formula', {
            reach: fmt.number(data.reach),
            perReach: formula.per_reach,
            reactions: fmt.number(data.reactions),
            perReaction: formula.per_reaction,
            brought: fmt.number(data.brought),
            perBrought: formula.per_brought,
            points: fmt.number(data.points),
            half: formula.half,
            score: fmt.number(data.score),
          })}
        </span>
      </div>
      <Stats>
        <Stat label={t('interaction:term.shared')} value={fmt.number(data.shared)} />
        <Stat label={t('interaction:term.reach')} value={fmt.number(data.reach)} />
        <Stat label={t('interaction:term.brought')} value={fmt.number(data.brought)} />
        <Stat label={t('interaction:term.revenue')} value={fmt.money(data.revenue)}>
          {t('interaction:ordersOf', { count: data.orders })}
        </Stat>
      </Stats>
      {data.people.length > 0 && (
        <Table
          label={t('interaction:people')}
          rows={data.people}
          rowKey={(row) => row.customer.id}
          columns={[
            {
              key: 'who',
              label: t('interaction:people'),
              cell: (row) => (
                <span className="row">
                  <Link to="/o/$object/$id" params={{ object: 'customer', id: row.customer.id }}>
                    {row.customer.title}
                  </Link>
                  {row.new && <Pill color="green">{t(row.referred ? 'interaction:referred' : 'interaction:new')}</Pill>}
                </span>
              ),
            },
            {
              key: 'since',
              label: t('interaction:since'),
              minor: true,
              cell: (row) => (row.since === null ? '\u2013' : fmt.date(row.since)),
            },
            {
              key: 'openings',
              label: t('interaction:openings'),
              align: 'right',
              minor: true,
              cell: (row) => fmt.number(row.openings),
            },
            {
              key: 'orders',
              label: t('interaction:orders'),
              align: 'right',
              cell: (row) => fmt.number(row.orders),
            },
            {
              key: 'revenue',
              label: t('interaction:term.revenue'),
              align: 'right',
              cell: (row) => fmt.money(row.revenue),
            },
          ]}
        />
      )}
      <p className={css.quiet}>
        {data.hidden > 0 && `${t('interaction:hidden', { count: data.hidden })} `}
        {t('interaction:creditMeans', { days: formula.days, year: formula.first_year })}
      </p>
    </section>
  );
}
