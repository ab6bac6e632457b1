import { createStore } from '@/lib/store';

/** Which of the shell's dialogs is open; one at a time. */
export const overlayStore = createStore<'none' | 'palette' | 'shortcuts' | 'nav'>('none');

export const openPalette = (): void => overlayStore.set('palette');
export const openShortcutHelp = (): void => overlayStore.set('shortcuts');
export const openNav = (): void => overlayStore.set('nav');
export const closeOverlay = (): void => overlayStore.set('none');
