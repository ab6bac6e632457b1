import { storage } from '@/lib/storage';

const QUIET = 10_000;

/**
 * A new version replaces the files of the old one: a page that was open asks for files that are gone. One reload
 * brings the new version; a guard keeps a really missing file from reloading for ever.
 */
export function reloadOnceWhenFilesAreGone(): void {
  addEventListener('vite:preloadError', (event) => {
    // Without a connection a reload brings nothing: the page says that it does not open now.
    if (!navigator.onLine) return;
    const last = storage.get('reloadedAt', 0);
    if (Date.now() - last < QUIET) return;
    storage.set('reloadedAt', Date.now());
    event.preventDefault();
    location.reload();
  });
}
