import { IconCloudOff, IconRefresh, IconSend } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { connectionStore, needsPerson, waitingStore } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { openOutbox, outboxOpen } from '@/records/offline/drawer-store';
import css from './frame.module.css';
import { takeUpdate, updateStore } from './worker';

const OutboxDrawer = lazy(() =>
  import('@/records/offline/outbox-drawer').then((module) => ({ default: module.OutboxDrawer })),
);

/** How old what is shown is, what waits, and that there is a newer version: one line over the page. */
export function OfflineStrip() {
  const { t } = useTranslation('offline');
  const fmt = useFormat();
  const { online, asOf } = useStore(connectionStore);
  const items = useStore(waitingStore);
  const update = useStore(updateStore);
  const opened = useStore(outboxOpen);
  const troubled = items.filter(needsPerson).length;
  const asOfText = () => {
    if (asOf === null) return t('offline:plain');
    const at = new Date(asOf).toISOString();
    const today = fmt.date(at) === fmt.date(new Date().toISOString());
    return t('offline:asOf', { when: today ? fmt.time(at) : fmt.datetime(at) });
  };
  return (
    <>
      {(!online || items.length > 0) && (
        <div className={css.offline} data-tone={troubled > 0 ? 'danger' : undefined}>
          {online ? <IconSend size={15} aria-hidden /> : <IconCloudOff size={15} aria-hidden />}
          {!online && <span>{asOfText()}</span>}
          {items.length > 0 && <span>{t('offline:waitingCount', { count: items.length })}</span>}
          {troubled > 0 && <strong>{t('offline:attention', { count: troubled })}</strong>}
          <button type="button" className={css.stripAction} aria-haspopup="dialog" onClick={openOutbox}>
            {t('offline:show')}
          </button>
        </div>
      )}
      {update !== null && online && (
        <div className={css.offline} data-tone="info">
          <IconRefresh size={15} aria-hidden />
          <span>{t('offline:update')}</span>
          <button type="button" className={css.stripAction} onClick={takeUpdate}>
            {t('offline:updateNow')}
          </button>
          <button type="button" className={css.stripAction} onClick={() => updateStore.set(null)}>
            {t('offline:updateLater')}
          </button>
        </div>
      )}
      <Suspense>{opened && <OutboxDrawer />}</Suspense>
    </>
  );
}
