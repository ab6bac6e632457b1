import { useMediaQuery } from '@/lib/hooks';
import { useStore } from '@/lib/store';
import { appearanceStore } from '@/theme/appearance';

/** The colour scheme on screen, "auto" resolved. */
export function useColorScheme(): 'light' | 'dark' {
  const choice = useStore(appearanceStore);
  const system = useMediaQuery('(prefers-color-scheme: dark)') ? 'dark' : 'light';
  return choice === 'auto' ? system : choice;
}
