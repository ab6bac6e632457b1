import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type OfferShown, offersQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useMinor } from '@/metadata';
import { ButtonLink, Closed, Dot, EmptyState, ErrorState, Page, Panel, prose, SkeletonRows, Table } from '@/ui';
import { STATUS_HUE, useGives, useSpan } from './words';

function Add() {
  const { t } = useTranslation('offers');
  return (
    <ButtonLink to="/offers/$id" params={{ id: 'new' }} kind="primary" icon={<IconPlus size={15} />}>
      {t('offers:add')}
    </ButtonLink>
  );
}

function List({ rows }: { rows: readonly OfferShown[] }) {
  const { t } = useTranslation('offers');
  const fmt = useFormat();
  const gives = useGives();
  const span = useSpan();
  const minor = useMinor();
  const navigate = useNavigate();
  const of = (value: string, most: string) => (
    <span className={prose.lines}>
      <span>{value}</span>
      {most !== '' && <span className="muted">{t('offers:of', { most })}</span>}
    </span>
  );
  return (
    <Table<OfferShown>
      label={t('offers:title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/offers/$id', params: { id: row.id } })}
      columns={[
        {
          key: 'name',
          label: t('offers:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/offers/$id"
                params={{ id: row.id }}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted">{gives(row.rule)}</span>
            </span>
          ),
        },
        {
          key: 'status',
          label: t('offers:status'),
          cell: (row) => <Dot color={STATUS_HUE[row.status]}>{t(`offers:statuses.${row.status}`)}</Dot>,
        },
        { key: 'span', label: t('offers:days'), minor: true, cell: (row) => span(row.rule) },
        {
          key: 'used',
          label: t('offers:used'),
          align: 'right',
          cell: (row) => of(fmt.number(row.used), row.rule.total > 0 ? fmt.number(row.rule.total) : ''),
        },
        {
          key: 'spent',
          label: t('offers:spent'),
          align: 'right',
          minor: true,
          cell: (row) => of(fmt.money(row.spent), row.rule.budget > 0 ? minor.text(row.rule.budget) : ''),
        },
      ]}
    />
  );
}

/** Offers: what they give, to whom, how often they were used, and what they took off. */
export function OffersPage() {
  const { t } = useTranslation('offers');
  const can = useCan();
  const { data, error, refetch } = useQuery({ ...offersQuery(), enabled: can('offer.read') });
  const body = () => {
    if (!can('offer.read')) return <Closed cause="no_permission" />;
    if (data === undefined)
      return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
    if (data.items.length === 0)
      return (
        <EmptyState
          cause="none"
          title={t('offers:none')}
          text={t('offers:noneText')}
          actions={can('offer.write') && <Add />}
        />
      );
    return (
      <Panel flush>
        <List rows={data.items} />
      </Panel>
    );
  };
  return (
    <Page title={t('offers:title')} actions={can('offer.write') && <Add />}>
      {body()}
    </Page>
  );
}
