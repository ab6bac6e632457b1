import type { QueryClient } from '@tanstack/react-query';
import { connectionStore, keptOwner, recordKeys, refreshWork, renewSession, type Waiting, waitingStore } from '@/api';
import { arrived, keepAnswers, loadWaiting, sendWaiting } from '@/api/offline';
import { i18next, loadWords } from '@/i18n';
import { vaultPossible } from '@/lib/secure';
import { toast } from '@/ui';
import { registerWorker } from './worker';

const AGAIN = 30_000;

/**
 * From here on what is seen is kept, what waits is sent when there is a connection, and the program opens without one.
 * Returns what stops it.
 */
export async function startOffline(client: QueryClient): Promise<() => void> {
  void registerWorker();
  if (!vaultPossible() || keptOwner() === '') return () => undefined;
  await keepAnswers(keptOwner());
  await loadWaiting();

  const refresh = async (item: Waiting) => {
    await Promise.all([refreshWork(client), client.invalidateQueries({ queryKey: recordKeys.object(item.object) })]);
  };
  const stopArrived = arrived.on(({ item }) => {
    void refresh(item);
    if (waitingStore.get().length === 0) void loadWords('offline').then(() => toast.ok(i18next.t('offline:allSent')));
  });

  let online = connectionStore.get().online;
  const back = async () => {
    // Somebody may have been signed out meanwhile: then signing in stands over the page, and nothing is sent before.
    await renewSession(client);
    await sendWaiting();
    await client.invalidateQueries();
  };
  const stopConnection = connectionStore.subscribe(() => {
    const next = connectionStore.get().online;
    if (next && !online) back().catch(() => undefined);
    online = next;
  });
  const again = setInterval(() => {
    if (connectionStore.get().online && waitingStore.get().some((item) => item.state === 'waiting'))
      sendWaiting().catch(() => undefined);
  }, AGAIN);
  if (online) sendWaiting().catch(() => undefined);
  return () => {
    clearInterval(again);
    stopArrived();
    stopConnection();
  };
}
