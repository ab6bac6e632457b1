import type { CampaignStatus } from '@/api';
import { useTranslation } from '@/i18n';

export const STATUS_HUE: Record<CampaignStatus, string> = {
  draft: 'gray',
  scheduled: 'blue',
  planning: 'blue',
  sending: 'amber',
  paused: 'orange',
  sent: 'green',
  stopped: 'red',
};

export function useArmName() {
  const { t } = useTranslation('campaigns');
  return (arm: string) =>
    arm === 'holdout' ? t('campaigns:holdout') : t('campaigns:variant', { key: arm.toUpperCase() });
}

/** Where a line stands, in the words of its channel. */
export function useLineWord(channel: string) {
  const { t, i18n } = useTranslation('campaigns');
  const kind = channel === 'sms' ? 'text' : channel;
  return (what: 'gates' | 'states', key: string) => {
    const own = `campaigns:${kind}${what === 'gates' ? 'Gates' : 'States'}.${key}`;
    return channel !== 'email' && i18n.exists(own) ? t(own) : t(`campaigns:${what}.${key}`);
  };
}

/** Codes that are known have words; others of providers are shown as they are. */
export function useTextReason() {
  const { t, i18n } = useTranslation('campaigns');
  return (code: string) => {
    const key = `campaigns:textReason.${code.replaceAll(/[.:]/g, '_')}`;
    return i18n.exists(key) ? t(key) : code;
  };
}

/** Why a campaign was paused by itself. */
export function usePauseReason() {
  const { t, i18n } = useTranslation('campaigns');
  return (code: string) => {
    const key = `campaigns:pauses.${code.replaceAll('.', '_')}`;
    return i18n.exists(key) ? t(key) : code;
  };
}
