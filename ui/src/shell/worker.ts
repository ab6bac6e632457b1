import { createStore } from '@/lib/store';

/** A version that is ready to take over; the person says when. */
export const updateStore = createStore<ServiceWorker | null>(null);

const HOUR = 3_600_000;

/** Lets the program open without a connection. Nowhere but in what was built: in development files change all the time. */
export async function registerWorker(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    const registration: ServiceWorkerRegistration | undefined = await navigator.serviceWorker.register('/sw.js', {
      updateViaCache: 'none',
    });
    if (registration === undefined) return;
    // The very first one is no news: the page is of the same version.
    const offer = () => {
      if (registration.waiting !== null && navigator.serviceWorker.controller !== null)
        updateStore.set(registration.waiting);
    };
    offer();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', offer);
    });
    setInterval(() => {
      registration.update().catch(() => undefined);
    }, HOUR);
  } catch {
    // Not over https, or switched off: everything works but opening without a connection.
  }
}

/** Changes to the version that waits: the page is loaded anew. */
export function takeUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  updateStore.get()?.postMessage('take-over');
}
