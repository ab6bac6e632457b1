import { IconCloudOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { connectionStore, waitingStore, watchConnection } from '@/api';
import { useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { outboxOpen } from '@/records/offline/drawer-store';
import css from './frame.module.css';
import { updateStore } from './worker';

/** The first page comes first: keeping begins with the first press or key, or when nothing happens for a while. */
const REST = 10_000;
const SIGNS = ['pointerdown', 'keydown', 'offline'] as const;

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

/** Keeps what is seen and sends what waits, from the first press on; at once without a connection. */
function useOfflineWork(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stopWatching = watchConnection();
    const ending = new AbortController();
    let begun = false;
    let stop: () => void = () => undefined;
    const begin = async () => {
      if (begun) return;
      begun = true;
      try {
        const started = await (await import('./offline-start')).startOffline(client);
        if (ending.signal.aborted) started();
        else stop = started;
      } catch {
        // Nothing is kept then; everything else works.
      }
    };
    const timer = setTimeout(() => void begin(), connectionStore.get().online ? REST : 0);
    for (const sign of SIGNS)
      addEventListener(sign, () => void begin(), { once: true, passive: true, signal: ending.signal });
    return () => {
      ending.abort();
      clearTimeout(timer);
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
