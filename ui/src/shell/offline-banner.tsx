import { IconCloudOff } from '@tabler/icons-react';
import { useTranslation } from '@/i18n';
import { useOnline } from '@/lib/hooks';
import css from './frame.module.css';

export function OfflineBanner() {
  const { t } = useTranslation('shell');
  const online = useOnline();
  return (
    <div role="status" aria-live="polite">
      {!online && (
        <div className={css.offline}>
          <IconCloudOff size={15} aria-hidden />
          {t('shell:offline')}
        </div>
      )}
    </div>
  );
}
