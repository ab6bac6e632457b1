import type { ChannelAccount } from '@/api';
import { useTranslation } from '@/i18n';
import { Pill } from '@/ui';

/** Whether an account works, by the last attempts. */
export function ChannelHealth({ account }: { account: ChannelAccount }) {
  const { t } = useTranslation('channels');
  if (!account.active) return <Pill color="gray">{t('channels:state.off')}</Pill>;
  if (account.failing_since !== null) return <Pill color="red">{t('channels:state.failing')}</Pill>;
  if (account.last_success_at !== null) return <Pill color="green">{t('channels:state.works')}</Pill>;
  return <Pill color="gray">{t('channels:state.untried')}</Pill>;
}
