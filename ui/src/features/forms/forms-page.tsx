import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormShown, formsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, Dot, EmptyState, ErrorState, Page, Panel, prose, SkeletonRows, Table, Tabs } from '@/ui';
import { Sources } from './sources';
import { STATUS_HUE } from './status';

function Add() {
  const { t } = useTranslation('forms');
  return (
    <ButtonLink to="/forms/$id" params={{ id: 'new' }} kind="primary" icon={<IconPlus size={15} />}>
      {t('forms:add')}
    </ButtonLink>
  );
}

function List({ rows }: { rows: readonly FormShown[] }) {
  const { t } = useTranslation('forms');
  const fmt = useFormat();
  const navigate = useNavigate();
  const figure = (key: 'shown' | 'sent' | 'made' | 'confirmed', minor = false) => ({
    key,
    label: t(`forms:sums.${key}`),
    align: 'right' as const,
    minor,
    cell: (row: FormShown) => fmt.number(row.sums[key]),
  });
  return (
    <Table<FormShown>
      label={t('forms:title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/forms/$id', params: { id: row.id } })}
      columns={[
        {
          key: 'name',
          label: t('forms:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/forms/$id"
                params={{ id: row.id }}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted">{row.plan.words[row.plan.locale]?.title}</span>
            </span>
          ),
        },
        {
          key: 'status',
          label: t('forms:status'),
          cell: (row) => <Dot color={STATUS_HUE[row.status]}>{t(`forms:statuses.${row.status}`)}</Dot>,
        },
        figure('shown', true),
        figure('sent'),
        figure('made'),
        figure('confirmed', true),
      ]}
    />
  );
}

/** Forms by which people become customers: how many saw them, and how many sent them. */
export function FormsPage() {
  const { t } = useTranslation('forms');
  const can = useCan();
  const navigate = useNavigate();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const { data, error, refetch } = useQuery({ ...formsQuery(), enabled: can('campaign.read') });
  const body = () => {
    if (!can('campaign.read')) return <Closed cause="no_permission" />;
    if (data === undefined)
      return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
    if (data.items.length === 0)
      return (
        <EmptyState
          cause="none"
          title={t('forms:none')}
          text={t('forms:noneText')}
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
    <Page title={t('forms:title')} actions={can('campaign.write') && <Add />}>
      {can('campaign.read') ? (
        <Tabs
          label={t('forms:title')}
          value={tab === 'sources' ? 'sources' : 'forms'}
          onChange={(next) =>
            navigate({ to: '/forms', search: next === 'sources' ? { tab: next } : {}, replace: true })
          }
          items={[
            { value: 'forms', label: t('forms:formsTab'), content: body() },
            { value: 'sources', label: t('forms:sourcesTab'), content: <Sources /> },
          ]}
        />
      ) : (
        body()
      )}
    </Page>
  );
}
