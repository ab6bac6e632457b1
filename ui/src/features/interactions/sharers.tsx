import { IconUsersPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Sharer, sharersQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { ButtonLink, EmptyState, ErrorState, Panel, SkeletonRows, Table } from '@/ui';
import { Barred } from '@/ui/figures';
import css from './interactions.module.css';

const FIGURES = ['shared', 'reach', 'reactions', 'brought', 'orders'] as const;

/** The customers who move others most, with how the score is made. */
export function Sharers() {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const can = useCan();
  const { data, isError, error, refetch } = useQuery(sharersQuery());
  const most = Math.max(1, ...(data?.items ?? []).map((row) => row.score));
  const body = () => {
    if (isError) return <ErrorState compact error={error} onRetry={() => refetch()} />;
    if (data === undefined) return <SkeletonRows rows={4} />;
    if (data.items.length === 0)
      return (
        <EmptyState compact cause="none" title={t('interactions:noSharers')} text={t('interactions:noSharersText')} />
      );
    return (
      <>
        <Table<Sharer>
          label={t('interactions:sharers')}
          rows={data.items}
          rowKey={(row) => row.customer.id}
          columns={[
            {
              key: 'who',
              label: t('interactions:customer'),
              cell: (row) => (
                <Barred share={row.score / most}>
                  <Link
                    className="truncate"
                    to="/o/$object/$id"
                    params={{ object: 'customer', id: row.customer.id }}
                    search={{ tab: 'interaction' } as never}
                  >
                    {row.customer.title}
                  </Link>
                </Barred>
              ),
            },
            { key: 'score', label: t('interactions:score'), align: 'right', cell: (row) => fmt.number(row.score) },
            ...FIGURES.map((key) => ({
              key,
              label: t(`interactions:influence.${key}`),
              align: 'right' as const,
              minor: key !== 'brought',
              cell: (row: Sharer) => fmt.number(row[key]),
            })),
            {
              key: 'revenue',
              label: t('interactions:influence.revenue'),
              align: 'right',
              cell: (row) => fmt.money(row.revenue),
            },
          ]}
        />
        <p className={css.foot}>
          {t('interactions:influenceMeans', {
            reach: data.formula.per_reach,
            reaction: data.formula.per_reaction,
            brought: data.formula.per_brought,
            half: data.formula.half,
            days: data.formula.days,
            year: data.formula.first_year,
          })}
        </p>
      </>
    );
  };
  return (
    <Panel
      flush
      title={t('interactions:sharers')}
      aside={
        can('segment.write') && (data?.items.length ?? 0) > 0 ? (
          <ButtonLink
            kind="subtle"
            icon={<IconUsersPlus size={15} />}
            to="/segments/new"
            search={{
              where: encodeCondition({ trait: 'influence', op: '>', value: 0 }),
              name: t('interactions:sharers'),
            }}
          >
            {t('interactions:asList')}
          </ButtonLink>
        ) : undefined
      }
    >
      {body()}
    </Panel>
  );
}
