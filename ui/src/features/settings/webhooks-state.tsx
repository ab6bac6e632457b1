import { IconCopy } from '@tabler/icons-react';
import type { Webhook, WebhookAttempt, WebhookDelivery } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, Modal, Pill, toast } from '@/ui';
import css from './settings.module.css';

const COLORS = { waiting: 'amber', delivered: 'green', dead: 'red' } as const;

/** On, failing, paused or off, in one word. */
export function WebhookHealth({ hook }: { hook: Webhook }) {
  const { t } = useTranslation('webhooks');
  if (hook.state === 'disabled') return <Pill color="red">{t('webhooks:state.disabled')}</Pill>;
  if (hook.state === 'paused') return <Pill color="gray">{t('webhooks:state.paused')}</Pill>;
  if (hook.failures > 0) return <Pill color="amber">{t('webhooks:state.failing')}</Pill>;
  return <Pill color="green">{t('webhooks:state.active')}</Pill>;
}

export function DeliveryPill({ delivery }: { delivery: WebhookDelivery }) {
  const { t } = useTranslation('webhooks');
  return <Pill color={COLORS[delivery.state]}>{t(`webhooks:state.${delivery.state}`)}</Pill>;
}

/** What one request came to: the status, or why there was none. */
export function useAttemptText() {
  const { t } = useTranslation('webhooks');
  return (attempt: Pick<WebhookAttempt, 'status' | 'error'>): string => {
    if (attempt.status !== 0) return `HTTP ${attempt.status}`;
    return attempt.error === '' ? '' : t(`webhooks:error.${attempt.error}`);
  };
}

/** A secret, this once. */
export function SecretDialog({ secret, text, onClose }: { secret: string; text: string; onClose: () => void }) {
  const { t } = useTranslation(['webhooks', 'common']);
  const copy = async () => {
    if (await copyText(secret)) toast.ok(t('common:copied'));
  };
  return (
    <Modal
      opened
      dismissible={false}
      onClose={onClose}
      title={t('webhooks:secret.title')}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t('webhooks:secret.kept')}
        </Button>
      }
    >
      <div className="stack">
        <p className={css.warnBox} role="status">
          {text}
        </p>
        <div className={css.secret}>
          <code>{secret}</code>
          <Button icon={<IconCopy size={15} />} onClick={copy}>
            {t('common:copy')}
          </Button>
        </div>
        <p className="muted">{t('webhooks:secret.use')}</p>
      </div>
    </Modal>
  );
}
