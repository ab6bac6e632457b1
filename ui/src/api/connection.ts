import { createStore } from '@/lib/store';

export interface Connection {
  /** Whether the last request reached the server. */
  online: boolean;
  /** Milliseconds: how old what is shown without a connection may be; null while there is one. */
  asOf: number | null;
}

const off = typeof navigator !== 'undefined' && navigator.onLine === false;
let lastContact = Date.now();
export const connectionStore = createStore<Connection>({ online: !off, asOf: off ? lastContact : null });

const FIRST = 2_000;
const LONGEST = 30_000;
let timer: ReturnType<typeof setTimeout> | null = null;

/** A request was answered by the server. */
export function reached(): void {
  lastContact = Date.now();
  if (timer !== null) clearTimeout(timer);
  timer = null;
  if (!connectionStore.get().online) connectionStore.set({ online: true, asOf: null });
}

/** Asks until the server answers, less and less often: the browser knows of its own network only. */
function ask(wait: number): void {
  if (timer !== null) return;
  timer = setTimeout(async () => {
    timer = null;
    if (await knock()) return;
    ask(Math.min(wait * 2, LONGEST));
  }, wait);
}

async function knock(): Promise<boolean> {
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', credentials: 'omit' });
    if (!answer.ok) return false;
    reached();
    return true;
  } catch {
    return false;
  }
}

/** A request did not reach the server. */
export function lost(): void {
  if (connectionStore.get().online) connectionStore.set({ online: false, asOf: lastContact });
  ask(FIRST);
}

/** What is shown was kept at this time. */
export function shownFrom(at: number): void {
  const now = connectionStore.get();
  if (!now.online && now.asOf !== at) connectionStore.set({ online: false, asOf: at });
}

/** Follows the browser's own news. Returns what stops it. */
export function watchConnection(): () => void {
  const back = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    ask(0);
  };
  addEventListener('offline', lost);
  addEventListener('online', back);
  if (navigator.onLine === false) lost();
  if (!connectionStore.get().online) ask(FIRST);
  return () => {
    removeEventListener('offline', lost);
    removeEventListener('online', back);
  };
}
