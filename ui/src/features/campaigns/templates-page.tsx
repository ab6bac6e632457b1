import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type MessageTemplate, templatesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, EmptyState, Loaded, Page, Panel, prose, Table } from '@/ui';

function Add() {
  const { t } = useTranslation('campaigns');
  return (
    <ButtonLink to="/templates/$id" params={{ id: 'new' }} search={{}} kind="primary" icon={<IconPlus size={15} />}>
      {t('campaigns:templates.add')}
    </ButtonLink>
  );
}

function List({ rows }: { rows: readonly MessageTemplate[] }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const navigate = useNavigate();
  return (
    <Table<MessageTemplate>
      label={t('campaigns:templates.title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/templates/$id', params: { id: row.id }, search: {} })}
      columns={[
        {
          key: 'name',
          label: t('campaigns:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/templates/$id"
                params={{ id: row.id }}
                search={{}}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted truncate">
                {row.body.documents[row.body.locale]?.subject ?? row.body.documents[row.body.locale]?.text}
              </span>
            </span>
          ),
        },
        { key: 'channel', label: t('campaigns:channel'), cell: (row) => t(`campaigns:channels.${row.channel}`) },
        {
          key: 'version',
          label: t('campaigns:templates.version'),
          align: 'right',
          minor: true,
          cell: (row) => row.version,
        },
        {
          key: 'changed',
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

/** What is written to many people. */
export function TemplatesPage() {
  const { t } = useTranslation('campaigns');
  const can = useCan();
  const allowed = can('campaign.read');
  const { data, error, refetch } = useQuery({ ...templatesQuery(), enabled: allowed });
  if (!allowed)
    return (
      <Page title={t('campaigns:templates.title')}>
        <Closed cause="no_permission" />
      </Page>
    );
  return (
    <Page title={t('campaigns:templates.title')} actions={can('campaign.write') && <Add />}>
      <Loaded allowed data={data} error={error} onRetry={() => refetch()}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState
              cause="none"
              title={t('campaigns:templates.none')}
              text={t('campaigns:templates.noneText')}
              actions={can('campaign.write') && <Add />}
            />
          ) : (
            <Panel flush>
              <List rows={items} />
            </Panel>
          )
        }
      </Loaded>
    </Page>
  );
}
