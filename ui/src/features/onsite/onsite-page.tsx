import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type OnsiteMessage, onsiteQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, Dot, EmptyState, ErrorState, Page, Panel, prose, SkeletonRows, Table } from '@/ui';

export const STATUS_HUE = { draft: 'gray', active: 'green', ended: 'red' } as const;

function Add() {
  const { t } = useTranslation('onsite');
  return (
    <ButtonLink to="/onsite/$id" params={{ id: 'new' }} kind="primary" icon={<IconPlus size={15} />}>
      {t('onsite:add')}
    </ButtonLink>
  );
}

function List({ rows }: { rows: readonly OnsiteMessage[] }) {
  const { t } = useTranslation('onsite');
  const fmt = useFormat();
  const navigate = useNavigate();
  return (
    <Table<OnsiteMessage>
      label={t('onsite:title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/onsite/$id', params: { id: row.id } })}
      columns={[
        {
          key: 'name',
          label: t('onsite:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/onsite/$id"
                params={{ id: row.id }}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted">
                {t(`onsite:kinds.${row.plan.kind}`)} {'\u00b7'} {row.plan.words[row.plan.locale]?.title}
              </span>
            </span>
          ),
        },
        {
          key: 'status',
          label: t('onsite:status'),
          cell: (row) => <Dot color={STATUS_HUE[row.status]}>{t(`onsite:statuses.${row.status}`)}</Dot>,
        },
        {
          key: 'viewers',
          label: t('onsite:viewers'),
          align: 'right',
          cell: (row) => fmt.number(row.viewers),
        },
        {
          key: 'clickers',
          label: t('onsite:clickers'),
          align: 'right',
          cell: (row) => (
            <span className={prose.lines}>
              <span>{fmt.number(row.clickers)}</span>
              {row.viewers > 0 && <span className="muted">{fmt.percent(row.clickers / row.viewers, 1)}</span>}
            </span>
          ),
        },
        {
          key: 'dismissed',
          label: t('onsite:dismissed'),
          align: 'right',
          minor: true,
          cell: (row) => fmt.number(row.dismissed),
        },
      ]}
    />
  );
}

/** Pop-ups and banners of websites: how many saw them, and how many followed. */
export function OnsitePage() {
  const { t } = useTranslation('onsite');
  const can = useCan();
  const { data, error, refetch } = useQuery({ ...onsiteQuery(), enabled: can('campaign.read') });
  const body = () => {
    if (!can('campaign.read')) return <Closed cause="no_permission" />;
    if (data === undefined)
      return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
    if (data.items.length === 0)
      return (
        <EmptyState
          cause="none"
          title={t('onsite:none')}
          text={t('onsite:noneText')}
          actions={can('campaign.write') && <Add />}
        />
      );
    return (
      <Panel flush>
        <List rows={data.items} />
      </Panel>
    );
  };
  return (
    <Page title={t('onsite:title')} actions={can('campaign.write') && <Add />}>
      {body()}
    </Page>
  );
}
