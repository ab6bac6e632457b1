import { storage } from '@/lib/storage';
import { createStore } from '@/lib/store';

export interface Recent {
  object: string;
  id: string;
  title: string;
}
const MOST = 8;

export const recentStore = createStore<readonly Recent[]>(storage.get<Recent[]>('recent', []));

/** Remembers a record that was opened, newest first; the palette shows these before anything is typed. */
export function remember(entry: Recent): void {
  recentStore.set((old) => [entry, ...old.filter((other) => other.id !== entry.id)].slice(0, MOST));
  storage.set('recent', recentStore.get());
}

export function forgetRecent(): void {
  recentStore.set([]);
  storage.set('recent', []);
}
