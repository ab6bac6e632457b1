import { createStore } from '@/lib/store';

/** Whether the drawer of what waits is open. */
export const outboxOpen = createStore(false);
export const openOutbox = (): void => outboxOpen.set(true);
export const closeOutbox = (): void => outboxOpen.set(false);
