import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ApiKey, apiKeysQuery, useRevokeApiKey } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, confirm, EmptyState, ErrorState, Panel, Pill, prose, SkeletonRows, Table, toast } from '@/ui';
import { ApiKeyDialog } from './apikey-dialog';
import { AssistantGuide } from './assistant-guide';
import css from './settings.module.css';

function Revoke({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation('settings');
  const revoke = useRevokeApiKey();
  if (apiKey.revoked_at !== null) return null;
  const run = async () => {
    const sure = await confirm({
      title: t('settings:apikeys.revokeTitle', { name: apiKey.name }),
      text: t('settings:apikeys.revokeText'),
      confirm: t('settings:apikeys.revoke'),
      danger: true,
    });
    if (!sure) return;
    revoke.mutate(apiKey.id, {
      onSuccess: () => toast.ok(t('settings:apikeys.revoked')),
      onError: (error) => toast.error(error.message),
    });
  };
  return (
    <Button
      kind="danger-subtle"
      loading={revoke.isPending}
      aria-label={t('settings:apikeys.revokeOf', { name: apiKey.name })}
      onClick={run}
    >
      {t('settings:apikeys.revoke')}
    </Button>
  );
}

export function ApiKeysPage() {
  const { t } = useTranslation(['settings', 'assistants']);
  const fmt = useFormat();
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const allowed = can('apikey.manage');
  const { data, error, isPending, refetch } = useQuery({ ...apiKeysQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setAdding(true)}>
      {t('settings:apikeys.add')}
    </Button>
  );
  const when = (at: string | null, never: string) => (
    <span className="muted">{at === null ? never : fmt.relative(at)}</span>
  );
  return (
    <div className={css.settings}>
      <Panel flush title={t('settings:page.apikeys')} aside={add}>
        {isPending && <SkeletonRows rows={3} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table
            label={t('settings:page.apikeys')}
            rows={data.items}
            rowKey={(key) => key.id}
            empty={
              <EmptyState
                compact
                cause="none"
                title={t('settings:apikeys.none')}
                text={t('settings:apikeys.noneText')}
              />
            }
            columns={[
              {
                key: 'name',
                label: t('settings:apikeys.name'),
                cell: (key) => (
                  <span className={prose.lines} data-off={key.revoked_at !== null || undefined}>
                    <span>{key.name}</span>
                    <code className="muted">
                      {key.prefix}
                      {'\u2026'}
                    </code>
                  </span>
                ),
              },
              {
                key: 'scopes',
                label: t('settings:apikeys.scopes'),
                cell: (key) => (
                  <span className={css.pills}>
                    {key.scopes.map((scope) => (
                      <Pill key={scope} color={scope === 'admin' ? 'red' : 'teal'}>
                        {t(`settings:scope.${scope}`)}
                      </Pill>
                    ))}
                  </span>
                ),
              },
              {
                key: 'made',
                label: t('settings:apikeys.created'),
                minor: true,
                cell: (key) => when(key.created_at, ''),
              },
              {
                key: 'used',
                label: t('settings:apikeys.used'),
                minor: true,
                cell: (key) => when(key.last_used_at, t('settings:apikeys.neverUsed')),
              },
              {
                key: 'actions',
                label: <span className="sr-only">{t('settings:actions')}</span>,
                align: 'right',
                cell: (key) =>
                  key.revoked_at === null ? (
                    <Revoke apiKey={key} />
                  ) : (
                    <span className="muted">{t('settings:apikeys.isRevoked')}</span>
                  ),
              },
            ]}
          />
        )}
      </Panel>
      <Panel title={t('assistants:title')}>
        <AssistantGuide />
      </Panel>
      {adding && <ApiKeyDialog onClose={() => setAdding(false)} />}
    </div>
  );
}
