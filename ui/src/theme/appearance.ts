import { storage } from '@/lib/storage';
import { createStore } from '@/lib/store';

export type Appearance = 'light' | 'dark' | 'auto';
export type Density = 'normal' | 'compact';

function stored(): Appearance {
  const value = storage.getText('theme');
  return value === 'light' || value === 'dark' ? value : 'auto';
}

/** What the person chose; `auto` follows the system. public/boot.js reads the same key before the first paint. */
export const appearanceStore = createStore<Appearance>(stored());
export const densityStore = createStore<Density>(storage.getText('density') === 'compact' ? 'compact' : 'normal');

const systemDark = () => matchMedia('(prefers-color-scheme: dark)').matches;

export function resolveAppearance(choice: Appearance): 'light' | 'dark' {
  if (choice !== 'auto') return choice;
  return systemDark() ? 'dark' : 'light';
}

/** The bars of a phone around the page. */
function colourBars(choice: Appearance): void {
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const dark = choice === 'auto' ? meta.media.includes('dark') : choice === 'dark';
    meta.content = dark ? '#141615' : '#fbfbfa';
  }
}

export function setAppearance(choice: Appearance): void {
  storage.setText('theme', choice);
  colourBars(choice);
  appearanceStore.set(choice);
}

export function setDensity(choice: Density): void {
  storage.setText('density', choice);
  if (choice === 'compact') document.documentElement.setAttribute('data-density', 'compact');
  else document.documentElement.removeAttribute('data-density');
  densityStore.set(choice);
}
