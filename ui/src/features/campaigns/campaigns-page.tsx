import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type Campaign, campaignsQuery, segmentsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, Dot, EmptyState, ErrorState, Page, Panel, prose, SkeletonRows, Table, Tabs } from '@/ui';
import { Rules } from './rules';
import { STATUS_HUE } from './words';

function List({ rows }: { rows: readonly Campaign[] }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const navigate = useNavigate();
  const segments = useQuery({ ...segmentsQuery(), enabled: useCan()('segment.read') }).data?.items ?? [];
  const named = (key: string) => segments.find((segment) => segment.key === key)?.label ?? key;
  return (
    <Table<Campaign>
      label={t('campaigns:title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/campaigns/$id', params: { id: row.id } })}
      columns={[
        {
          key: 'name',
          label: t('campaigns:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/campaigns/$id"
                params={{ id: row.id }}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted">{row.plan.segments.map(named).join(t('campaigns:comma'))}</span>
            </span>
          ),
        },
        {
          key: 'status',
          label: t('campaigns:status'),
          cell: (row) => <Dot color={STATUS_HUE[row.status]}>{t(`campaigns:statuses.${row.status}`)}</Dot>,
        },
        {
          key: 'audience',
          label: t('campaigns:audience'),
          align: 'right',
          cell: (row) => (row.status === 'draft' ? '\u2013' : fmt.number(row.audience)),
        },
        {
          key: 'start',
          label: t('campaigns:begins'),
          minor: true,
          cell: (row) => (row.start_at === null ? '' : fmt.datetime(row.start_at)),
        },
        {
          key: 'by',
          label: t('campaigns:changed'),
          minor: true,
          cell: (row) => (
            <span className="muted">
              {row.updated_by.title} {'\u00b7'} {fmt.relative(row.updated_at)}
            </span>
          ),
        },
      ]}
    />
  );
}

function All() {
  const { t } = useTranslation('campaigns');
  const can = useCan();
  const { data, error, refetch } = useQuery(campaignsQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0)
    return (
      <EmptyState
        cause="none"
        title={t('campaigns:none')}
        text={t('campaigns:noneText')}
        actions={can('campaign.write') && <Add />}
      />
    );
  return (
    <Panel flush>
      <List rows={data.items} />
    </Panel>
  );
}

function Add() {
  const { t } = useTranslation('campaigns');
  return (
    <ButtonLink to="/campaigns/$id" params={{ id: 'new' }} kind="primary" icon={<IconPlus size={15} />}>
      {t('campaigns:add')}
    </ButtonLink>
  );
}

/** What is sent to many people, and the rules that hold for all of it. */
export function CampaignsPage() {
  const { t } = useTranslation('campaigns');
  const can = useCan();
  const tab = (useSearch({ strict: false }) as { tab?: string }).tab === 'rules' ? 'rules' : 'all';
  const navigate = useNavigate();
  if (!can('campaign.read'))
    return (
      <Page title={t('campaigns:title')}>
        <Closed cause="no_permission" />
      </Page>
    );
  return (
    <Page title={t('campaigns:title')} actions={can('campaign.write') && <Add />}>
      <Tabs
        label={t('campaigns:title')}
        value={tab}
        onChange={(next) =>
          navigate({ to: '/campaigns', search: next === 'rules' ? { tab: 'rules' } : {}, replace: true })
        }
        items={[
          { value: 'all', label: t('campaigns:all'), content: <All /> },
          { value: 'rules', label: t('campaigns:rules.title'), content: <Rules /> },
        ]}
      />
    </Page>
  );
}
