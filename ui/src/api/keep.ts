import { vaultPossible } from '@/lib/secure';
import { storage } from '@/lib/storage';
import { createStore } from '@/lib/store';
import { shownFrom } from './connection';
import type { Waiting } from './waiting';

/**
 * What a person saw last stays readable without a connection, and what they write goes out later. The work is done by
 * ./offline, which is loaded after the first page; here is only what every request needs.
 */

/** Answers that are kept: who one is, what there are, my day, and records with what happened to them. */
const KEPT =
  /^\/(me|objects|traits|day|agenda|customers\/[^/]+\/profile|records\/[^/]+\/[^/]+(\/(timeline|open|follow|files))?)(\?|$)/;
/** Those that a page is made of: their time is the page's. */
const PAGE = /^\/(day|agenda|customers\/[^/]+\/profile|records\/[^/]+\/[^/?]+)(\?|$)/;

export const isKept = (address: string): boolean => KEPT.test(address) && !address.includes('cursor=');

interface Seen {
  address: string;
  text: string;
  at: number;
}
let sink: ((seen: Seen) => void) | null = null;
const early: Seen[] = [];
const MOST_EARLY = 40;

/** A person's own store is named by their workspace and id; empty when nobody has signed in. */
export const keptOwner = (): string => storage.getText('owner') ?? '';

export function saw(address: string, text: string): void {
  if (!isKept(address) || !vaultPossible()) return;
  const seen = { address, text, at: Date.now() };
  if (sink !== null) sink(seen);
  else if (early.length < MOST_EARLY) early.push(seen);
}

/** From here on everything seen goes to `next`, what was seen before first. */
export function setSink(next: ((seen: Seen) => void) | null): void {
  sink = next;
  if (next === null) early.length = 0;
  else for (const seen of early.splice(0)) next(seen);
}

/** The answer that was given when there was a connection, if it is still here. */
export async function keptAnswer(address: string): Promise<string | null> {
  const owner = keptOwner();
  if (owner === '' || !isKept(address) || !vaultPossible()) return null;
  try {
    const { answerOf } = await import('./offline');
    const found = await answerOf(owner, address);
    if (found === null) return null;
    if (PAGE.test(address)) shownFrom(found.at);
    return found.text;
  } catch {
    return null;
  }
}

/** What waits to be sent, oldest first. Filled once ./offline is there. */
export const waitingStore = createStore<readonly Waiting[]>([]);
