import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { isApiError, useCreateWebhook, useSaveWebhook, type Webhook, webhookQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { BackLink, ButtonLink, DetailHead, EmptyState, Loaded, toast } from '@/ui';
import { WebhookForm } from './webhooks-form';
import { SecretDialog } from './webhooks-state';

export function WebhookNewPage() {
  const { t } = useTranslation(['webhooks', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const create = useCreateWebhook();
  if (!can('webhook.manage')) return <EmptyState cause="no_permission" />;
  const made = create.data;
  return (
    <div className="stack">
      <DetailHead back={<BackLink to="/settings/webhooks" label={t('webhooks:back')} />} title={t('webhooks:add')} />
      <WebhookForm
        error={create.error}
        saving={create.isPending}
        onSave={(input) => create.mutate(input)}
        cancel={<ButtonLink to="/settings/webhooks">{t('common:cancel')}</ButtonLink>}
      />
      {made !== undefined && (
        <SecretDialog
          secret={made.secret}
          text={t('webhooks:secret.once')}
          onClose={() => navigate({ to: '/settings/webhooks/$id', params: { id: made.webhook.id }, search: {} })}
        />
      )}
    </div>
  );
}

export function WebhookEditPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('webhook.manage');
  // What is being edited does not change under the hands.
  const { data, error, refetch } = useQuery({ ...webhookQuery(id), enabled: allowed, refetchInterval: false });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(hook) => <Edit key={hook.id} hook={hook} />}
    </Loaded>
  );
}

function Edit({ hook: opened }: { hook: Webhook }) {
  const { t } = useTranslation(['webhooks', 'common']);
  const navigate = useNavigate();
  const [hook] = useState(opened);
  const save = useSaveWebhook();
  const back = () => navigate({ to: '/settings/webhooks/$id', params: { id: hook.id }, search: {} });
  return (
    <div className="stack">
      <DetailHead
        back={
          <BackLink to="/settings/webhooks/$id" params={{ id: hook.id }} search={{}} label={t('webhooks:backToOne')} />
        }
        title={t('webhooks:editOf', { name: hook.name })}
      />
      <WebhookForm
        hook={hook}
        error={save.error}
        saving={save.isPending}
        onSave={(change) =>
          save.mutate(
            { id: hook.id, version: hook.version, change },
            {
              onSuccess: () => {
                toast.ok(t('common:saved'));
                back();
              },
              onError: (error) => {
                if (isApiError(error, 412)) toast.error(error.message);
              },
            },
          )
        }
        cancel={
          <ButtonLink to="/settings/webhooks/$id" params={{ id: hook.id }} search={{}}>
            {t('common:cancel')}
          </ButtonLink>
        }
      />
    </div>
  );
}
