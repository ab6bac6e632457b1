import {
  IconDots,
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconSend,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import {
  useDeleteWebhook,
  useRotateWebhook,
  useSaveWebhook,
  useTestWebhook,
  type Webhook,
  type WebhookState,
  webhookQuery,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import {
  BackLink,
  Button,
  ButtonLink,
  confirm,
  DetailHead,
  Facts,
  IconButton,
  Loaded,
  Menu,
  Panel,
  Stat,
  Stats,
  toast,
} from '@/ui';
import css from './settings.module.css';
import own from './webhooks.module.css';
import { WebhookLog } from './webhooks-log';
import { SecretDialog, useAttemptText, WebhookHealth } from './webhooks-state';

export function WebhookPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('webhook.manage');
  const { data, error, refetch } = useQuery({ ...webhookQuery(id), enabled: allowed });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(hook) => <One hook={hook} />}
    </Loaded>
  );
}

function One({ hook }: { hook: Webhook }) {
  const { t } = useTranslation('webhooks');
  const fmt = useFormat();
  const [secret, setSecret] = useState<string | null>(null);
  const when = (at: string | null) => (at === null ? t('webhooks:never') : fmt.relative(at));
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink to="/settings/webhooks" label={t('webhooks:back')} />}
        title={hook.name}
        state={<WebhookHealth hook={hook} />}
      >
        <Actions hook={hook} onSecret={setSecret} />
      </DetailHead>
      <Trouble hook={hook} />
      <Panel>
        <Stats>
          <Stat label={t('webhooks:lastSuccess')} value={when(hook.last_success_at)} />
          <Stat label={t('webhooks:lastFailure')} value={when(hook.last_failure_at)} />
          <Stat label={t('webhooks:state.waiting')} value={fmt.number(hook.waiting)} />
          <Stat label={t('webhooks:state.dead')} value={fmt.number(hook.dead)} />
        </Stats>
      </Panel>
      <Panel title={t('webhooks:form.what')}>
        <Facts>
          <dt>{t('webhooks:url')}</dt>
          <dd className={own.address}>{hook.url}</dd>
          <dt>{t('webhooks:events')}</dt>
          <dd>
            <Rules hook={hook} />
          </dd>
          <dt>{t('webhooks:personal')}</dt>
          <dd>{hook.reveal ? t('webhooks:revealed') : t('webhooks:masked')}</dd>
          {hook.headers.length > 0 && (
            <>
              <dt>{t('webhooks:headers')}</dt>
              <dd>{hook.headers.join(', ')}</dd>
            </>
          )}
          {hook.old_secret_until !== null && (
            <>
              <dt>{t('webhooks:secret.label')}</dt>
              <dd>{t('webhooks:secret.overlap', { until: fmt.datetime(hook.old_secret_until) })}</dd>
            </>
          )}
        </Facts>
      </Panel>
      <WebhookLog hook={hook} />
      {secret !== null && (
        <SecretDialog secret={secret} text={t('webhooks:secret.rotated')} onClose={() => setSecret(null)} />
      )}
    </div>
  );
}

/** Says why it was turned off, or since when it fails. */
function Trouble({ hook }: { hook: Webhook }) {
  const { t } = useTranslation('webhooks');
  const fmt = useFormat();
  if (hook.state === 'disabled')
    return (
      <p className={own.danger} role="status">
        {t(`webhooks:reason.${hook.reason || 'failing'}`)}
      </p>
    );
  if (hook.failures === 0) return null;
  return (
    <p className={css.warnBox} role="status">
      {t('webhooks:failingSince', {
        count: hook.failures,
        since: fmt.datetime(hook.failing_since),
        error: t(`webhooks:error.${hook.last_error}`),
      })}
    </p>
  );
}

function Rules({ hook }: { hook: Webhook }) {
  const { t } = useTranslation('webhooks');
  const label = useLabel();
  const objects = useObjects();
  return (
    <ul className={own.chosen}>
      {hook.rules.map((rule, at) => {
        const object = findObject(objects, rule.object);
        const kinds = rule.kinds.map((kind) => t(`webhooks:kind.${kind}`)).join(t('webhooks:comma'));
        const fields = rule.fields.map((key) => label(object?.fields.find((field) => field.key === key)?.label, key));
        return (
          <li key={at}>
            <strong>{label(object?.label, rule.object)}</strong> {kinds}
            {fields.length > 0 && (
              <div className="muted">{t('webhooks:onlyFields', { fields: fields.join(t('webhooks:comma')) })}</div>
            )}
            {rule.where !== null && <div className="muted">{label(rule.sentence)}</div>}
          </li>
        );
      })}
    </ul>
  );
}

function Actions({ hook, onSecret }: { hook: Webhook; onSecret: (secret: string) => void }) {
  const { t } = useTranslation(['webhooks', 'common']);
  const navigate = useNavigate();
  const attemptText = useAttemptText();
  const test = useTestWebhook();
  const save = useSaveWebhook();
  const rotate = useRotateWebhook();
  const remove = useDeleteWebhook();
  const failed = (error: Error) => toast.error(error.message);
  const turn = (state: WebhookState) =>
    save.mutate({ id: hook.id, change: { state } }, { onSuccess: () => toast.ok(t('common:saved')), onError: failed });
  const send = () =>
    test.mutate(hook.id, {
      onSuccess: ({ attempt }) => {
        const detail = `${attemptText(attempt)} \u00b7 ${attempt.ms} ms`;
        if (attempt.error === '') toast.ok(t('webhooks:test.ok'), { detail });
        else toast.error(t('webhooks:test.failed'), { detail });
      },
      onError: failed,
    });
  const askRotate = async () => {
    const sure = await confirm({
      title: t('webhooks:secret.rotate'),
      text: t('webhooks:secret.rotateText'),
      confirm: t('webhooks:secret.rotate'),
    });
    if (sure) rotate.mutate(hook.id, { onSuccess: (made) => onSecret(made.secret), onError: failed });
  };
  const askRemove = async () => {
    const sure = await confirm({
      title: t('webhooks:deleteTitle', { name: hook.name }),
      text: t('webhooks:deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (sure) remove.mutate(hook.id, { onSuccess: () => navigate({ to: '/settings/webhooks' }), onError: failed });
  };
  const running = hook.state === 'active';
  return (
    <span className="row">
      <Button icon={<IconSend size={15} />} loading={test.isPending} onClick={send}>
        {t('webhooks:test.send')}
      </Button>
      <Button
        icon={running ? <IconPlayerPause size={15} /> : <IconPlayerPlay size={15} />}
        loading={save.isPending}
        onClick={() => turn(running ? 'paused' : 'active')}
      >
        {running ? t('webhooks:pause') : t('webhooks:resume')}
      </Button>
      <ButtonLink to="/settings/webhooks/$id/edit" params={{ id: hook.id }} icon={<IconPencil size={15} />}>
        {t('common:edit')}
      </ButtonLink>
      <Menu
        target={<IconButton label={t('webhooks:more')} icon={<IconDots size={16} />} tooltip={false} />}
        entries={[
          { label: t('webhooks:secret.rotate'), icon: <IconKey size={15} />, onSelect: askRotate },
          { label: t('common:delete'), icon: <IconTrash size={15} />, danger: true, onSelect: askRemove },
        ]}
      />
    </span>
  );
}
