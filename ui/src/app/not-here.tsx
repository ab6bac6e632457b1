import { useTranslation } from '@/i18n';
import { openOutbox } from '@/records/offline/drawer-store';
import { Button, ButtonLink, EmptyState } from '@/ui';

/** A page whose files are not on this device, without a connection to fetch them. */
export function NotHere() {
  const { t } = useTranslation(['offline', 'shell']);
  return (
    <EmptyState
      cause="not_found"
      title={t('offline:notHere.title')}
      text={t('offline:notHere.text')}
      actions={
        <>
          <ButtonLink to="/day">{t('shell:nav.day')}</ButtonLink>
          <Button onClick={openOutbox}>{t('offline:notHere.list')}</Button>
        </>
      }
    />
  );
}
