import { useEffect } from 'react';
import { useEvent } from '@/lib/hooks';
import { storage } from '@/lib/storage';
import { createStore } from '@/lib/store';

export interface Shortcut {
  /** "mod+k", "?", "g c", "alt+j". `mod` is ⌘ on Apple keyboards and Ctrl elsewhere. */
  keys: string;
  /** What it does, in the language on screen, for the list that `?` opens. */
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
  /** Works while typing too; only sensible for keys with a modifier. */
  whileTyping?: boolean;
}

/** All shortcuts that work now, for the help. */
export const shortcutStore = createStore<readonly Shortcut[]>([]);

/** Single keys can be switched off (WCAG 2.1.4): people who dictate set them off by accident. */
export const singleKeysStore = createStore<boolean>(storage.get('singleKeys', true));
export function setSingleKeys(on: boolean): void {
  storage.set('singleKeys', on);
  singleKeysStore.set(on);
}

const SEQUENCE_TIMEOUT = 1000;

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** One press as text: "mod+shift+k", "?", "g". Shift is part of the character where there is one. */
export function pressOf(event: Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey' | 'shiftKey'>): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase().replace('escape', 'esc');
  const parts: string[] = [];
  if (event.metaKey || event.ctrlKey) parts.push('mod');
  if (event.altKey) parts.push('alt');
  if (event.shiftKey && event.key.length > 1) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

const isModified = (press: string): boolean => press.startsWith('mod+') || press.startsWith('alt+');

export interface Matcher {
  /** The shortcut that this press completes, if any. */
  press(press: string, shortcuts: readonly Shortcut[], now: number): Shortcut | null;
}

/** Follows sequences such as "g c": the first key waits a second for the second. */
export function createMatcher(timeout = SEQUENCE_TIMEOUT): Matcher {
  let pending = '';
  let since = 0;
  return {
    press(press, shortcuts, now) {
      const sequence = pending !== '' && now - since <= timeout ? `${pending} ${press}` : press;
      pending = '';
      // Those that came last win: a panel over a page takes the page's keys.
      const found = [...shortcuts].reverse().find((shortcut) => shortcut.keys === sequence);
      if (found !== undefined) return found;
      if (shortcuts.some((shortcut) => shortcut.keys.startsWith(`${press} `))) {
        pending = press;
        since = now;
      }
      return null;
    },
  };
}

const matcher = createMatcher();

function onKeyDown(event: KeyboardEvent): void {
  // While an input method composes, every key is its own.
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  if (event.key === 'Shift' || event.key === 'Control' || event.key === 'Meta' || event.key === 'Alt') return;
  const press = pressOf(event);
  const typing = isTyping(event.target);
  if (typing && !isModified(press)) return;
  if (!isModified(press) && !singleKeysStore.get()) return;
  if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null && !isModified(press)) return;
  const found = matcher.press(press, shortcutStore.get(), event.timeStamp);
  if (found === null || (typing && found.whileTyping !== true)) return;
  event.preventDefault();
  found.run(event);
}

/** Listens once, at the frame. */
export function useShortcutListener(): void {
  useEffect(() => {
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}

/** Adds shortcuts while a component is on screen; they show in the help by themselves. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const newest = useEvent(() => shortcuts);
  const signature = shortcuts.map((shortcut) => `${shortcut.keys}|${shortcut.label}`).join('\n');
  useEffect(() => {
    const mine = newest().map((shortcut, at) => ({
      ...shortcut,
      signature,
      run: (event: KeyboardEvent) => newest()[at]?.run(event),
    }));
    shortcutStore.set((old) => [...old, ...mine]);
    return () =>
      shortcutStore.set((old) => old.filter((shortcut) => !(mine as readonly Shortcut[]).includes(shortcut)));
  }, [newest, signature]);
}
