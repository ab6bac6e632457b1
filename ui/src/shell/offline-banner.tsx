import { IconCloudOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { connectionStore, waitingStore, watchConnection } from '@/api';
import { useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { outboxOpen } from '@/records/offline/drawer-store';
import css from './frame.module.css';
import { updateStore } from './worker';

function Plain() {
  const { t } = useTranslation('shell');
  const { online } = useStore(connectionStore);
  if (online) return null;
  return (
    <div className={css.offline}>
      <IconCloudOff size={15} aria-hidden />
      {t('shell:offline')}
    </div>
  );
}

const Strip = lazy(async () => {
  try {
    return { default: (await import('./offline-strip')).OfflineStrip };
  } catch {
    // Without a connection, where this browser may keep no files either.
    return { default: Plain };
  }
});

/** Keeps what is seen and sends what waits. */
function useOfflineWork(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stopWatching = watchConnection();
    let gone = false;
    let stop: () => void = () => undefined;
    const begin = async () => {
      try {
        const started = await (await import('./offline-start')).startOffline(client);
        if (gone) started();
        else stop = started;
      } catch {
        // Nothing is kept then; everything else works.
      }
    };
    void begin();
    return () => {
      gone = true;
      stopWatching();
      stop();
    };
  }, [client]);
}

export function OfflineBanner() {
  const { online } = useStore(connectionStore);
  const any = useStore(waitingStore).length > 0;
  const update = useStore(updateStore) !== null;
  const opened = useStore(outboxOpen);
  useOfflineWork();
  return (
    <div role="status" aria-live="polite">
      <Suspense fallback={<Plain />}>{(!online || any || update || opened) && <Strip />}</Suspense>
    </div>
  );
}
