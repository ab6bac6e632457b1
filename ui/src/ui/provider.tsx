import { MantineProvider } from '@mantine/core';
import type { ReactNode } from 'react';
import { useMediaQuery } from '@/lib/hooks';
import { useStore } from '@/lib/store';
import { appearanceStore } from '@/theme/appearance';
import { cssVariablesResolver, theme } from '@/theme/theme';
import { ConfirmHost } from './confirm';
import { ToastHost } from './toast';

/** The colour scheme on screen, "auto" resolved. */
export function useColorScheme(): 'light' | 'dark' {
  const choice = useStore(appearanceStore);
  const system = useMediaQuery('(prefers-color-scheme: dark)') ? 'dark' : 'light';
  return choice === 'auto' ? system : choice;
}

/** Everything that the wrappers of this folder need around them: theme, toasts, questions. */
export function UiProvider({ children }: { children: ReactNode }) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} forceColorScheme={useColorScheme()}>
      {children}
      <ConfirmHost />
      <ToastHost />
    </MantineProvider>
  );
}
