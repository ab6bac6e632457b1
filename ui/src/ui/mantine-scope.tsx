import '@/theme/mantine.css';
import { MantineContext, MantineProvider } from '@mantine/core';
import { type ReactNode, useContext } from 'react';
import { cssVariablesResolver, theme } from '@/theme/theme';
import { useColorScheme } from './color-scheme';

/**
 * What the parts of Mantine need around them. It comes with the first of them that is wanted (a menu, a dialog, a
 * list with search), not with the page: pages are drawn without it.
 */
export function MantineScope({ children }: { children: ReactNode }) {
  const inside = useContext(MantineContext) !== null;
  const scheme = useColorScheme();
  if (inside) return children;
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      forceColorScheme={scheme}
      withGlobalClasses={false}
    >
      {children}
    </MantineProvider>
  );
}
