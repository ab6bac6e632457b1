/** What is kept on the device while the browser is at a provider of identities, by the state that comes back in the address. */
export interface Away {
  /** Where to go on. */
  next: string;
  /** In a window of its own, over a page that is to stay. */
  apart: boolean;
}

const KEY = 'guanxi.away';
const CHANNEL = 'guanxi.signed-in';

export function goAway(address: string, away: Away): void {
  const state = new URL(address).searchParams.get('state') ?? '';
  try {
    localStorage.setItem(KEY, JSON.stringify({ state, away }));
  } catch {
    // The way back leads to the start then.
  }
}

export function comeBack(state: string): Away {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as { state: string; away: Away } | null;
    localStorage.removeItem(KEY);
    if (kept?.state === state) return kept.away;
  } catch {
    // As above.
  }
  return { next: '/', apart: false };
}

/** Tells the page that waits that somebody has signed in. */
export function tellSignedIn(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage('done');
  channel.close();
}
export function onSignedIn(then: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = then;
  return () => channel.close();
}
