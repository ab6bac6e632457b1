import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type Webhook, webhooksQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, EmptyState, ErrorState, Panel, prose, SkeletonRows, Table } from '@/ui';
import own from './webhooks.module.css';
import { WebhookHealth } from './webhooks-state';

/** Every webhook with its health. */
export function WebhooksPage() {
  const { t } = useTranslation('webhooks');
  const fmt = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const allowed = can('webhook.manage');
  const { data, error, isPending, refetch } = useQuery({ ...webhooksQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const add = (
    <ButtonLink to="/settings/webhooks/new" kind="primary" icon={<IconPlus size={15} />}>
      {t('webhooks:add')}
    </ButtonLink>
  );
  const when = (at: string | null) => (
    <span className="muted">{at === null ? t('webhooks:never') : fmt.relative(at)}</span>
  );
  const empty = data !== undefined && data.items.length === 0;
  return (
    <Panel flush title={t('webhooks:title')} aside={empty ? undefined : add}>
      {isPending && <SkeletonRows rows={3} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <Table<Webhook>
          label={t('webhooks:title')}
          rows={data.items}
          rowKey={(hook) => hook.id}
          onRowClick={(hook) => navigate({ to: '/settings/webhooks/$id', params: { id: hook.id }, search: {} })}
          empty={
            <EmptyState compact cause="none" title={t('webhooks:none')} text={t('webhooks:noneText')} actions={add} />
          }
          columns={[
            {
              key: 'name',
              label: t('webhooks:name'),
              cell: (hook) => (
                <span className={prose.lines}>
                  <Link
                    to="/settings/webhooks/$id"
                    params={{ id: hook.id }}
                    search={{}}
                    className={prose.plain}
                    onClick={(event) => event.stopPropagation()}
                  >
                    {hook.name}
                  </Link>
                  <span className={`${own.address} muted`}>{hook.url}</span>
                </span>
              ),
            },
            { key: 'state', label: t('webhooks:stateLabel'), cell: (hook) => <WebhookHealth hook={hook} /> },
            {
              key: 'success',
              label: t('webhooks:lastSuccess'),
              minor: true,
              cell: (hook) => when(hook.last_success_at),
            },
            {
              key: 'waiting',
              label: t('webhooks:state.waiting'),
              align: 'right',
              minor: true,
              cell: (hook) => fmt.number(hook.waiting),
            },
            {
              key: 'dead',
              label: t('webhooks:state.dead'),
              align: 'right',
              minor: true,
              cell: (hook) => fmt.number(hook.dead),
            },
          ]}
        />
      )}
    </Panel>
  );
}
